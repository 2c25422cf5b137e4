/** Fault: one way to break the bot on purpose, and the signs that it was noticed and is over. */
import type { Scene, SceneSetup } from "./scene.ts";
import type { Tool } from "./tools.ts";

/** The areas that the requirement wants tested, under its own names. */
export const areas = {
  logger: "日志系统 logger",
  health: "健康监控 health monitor",
  queue: "消息队列 message queue",
  process: "进程监控 process monitor",
  reconnect: "重连管理 reconnect manager",
  integration: "容错集成 integration",
  endToEnd: "端到端 end to end",
} as const;

export type Area = keyof typeof areas;

/** Groups of known troubles of other bots, collected from their issue trackers. */
export const groups = {
  T1: "polling dies silently",
  T2: "409 kills the bot",
  T3: "one failing handler stops everything",
  T4: "long handlers time out",
  T5: "one stuck handler blocks all chats",
  T6: "429 crashes or blocks the bot",
  T7: "network loss crashes the bot",
  T8: "duplicates after an ambiguous send",
  T9: "the same update handled twice",
  T10: "updates lost at a restart",
  T11: "a poison update blocks the bot",
  T12: "a durable inbox fails",
  T13: "order within a chat is lost",
  T14: "broadcasts exceed the limits",
  T15: "blocked chats crash the bot or are retried for ever",
} as const;

export type Group = keyof typeof groups;

/** The sign that the bot, or its supervisor, has noticed the fault. */
export type Detection =
  /** A line of the bot's log. */
  | { readonly by: "log"; readonly line: RegExp }
  /** The process ends with this code; "killed": by a signal. */
  | { readonly by: "exit"; readonly code: number | "killed" }
  /** `/api/health` calls this probe degraded or unhealthy. */
  | { readonly by: "health"; readonly probe: string }
  /** The fault is absorbed, so there is nothing to notice. */
  | { readonly by: "nothing" };

/** The time within which the bot must reply again. */
export type Aim =
  /** Within 20 s of the hang's beginning. */
  | "hang"
  /** Where there are several processes or machines, none is silent for 12 s when one is lost or hangs. */
  | "machine"
  /** Within 5 s of the outage's end. */
  | "outage"
  /** Within 2 s of the kill. */
  | "kill";

/** What a report says of a fault. */
export interface Described {
  /** The name for `--only`. */
  readonly name: string;
  readonly title: string;
  readonly how: string;
  readonly areas: readonly Area[];
  readonly groups?: readonly Group[];
  /** The sign that it was noticed. */
  readonly detection: Detection;
  readonly aim: Aim;
  /** The bot cannot recover alone: it says what to do, and `end` does it as a human would. */
  readonly needsHuman?: boolean;
}

export interface DrillFault extends Described {
  readonly needs?: readonly Tool[];
  readonly setup?: SceneSetup;
  /** Milliseconds from `inject` to `end`. Default 3000; 0 where there is no `end`. */
  readonly lastsMs?: number;
  /** Whether `--quick` plays it. */
  readonly quick?: boolean;
  /** Whether it can happen together with others, in a random schedule. */
  readonly overlaps?: boolean;
  /**
   * Whether a process that it meets can neither read answers nor commit until it dies, so that its sends in
   * hand are ambiguous. Default: that is true of its last second only.
   */
  readonly deafens?: boolean;
  /** Whether answers can be lost while it lasts, so that sends are ambiguous. */
  readonly swallows?: boolean;
  /** Whether messages may be given up, because they cannot succeed or look like a poison. */
  readonly givesUp?: boolean;
  /** Messages that rightly still wait at the end. Default 0. */
  readonly leaves?: number;
  /** Breaks something. Resolves when it is broken. */
  inject(scene: Scene): Promise<void>;
  /** Mends what was broken. Absent: the bot must recover by itself. */
  end?(scene: Scene): Promise<void>;
  /** Waits after the first reply until everything else is back. Rejects when it is not. */
  afterwards?(scene: Scene): Promise<void>;
  /** Checks the fault's own promises at the end. @returns one sentence for each broken one. */
  check?(scene: Scene): Promise<readonly string[]>;
}
