/** DrillFault: one way to break the bot on purpose, and how to see that it was noticed and is over. */
import type { Scene, SceneSetup } from "./scene.ts";
import type { Tool } from "./tools.ts";

/** The areas the requirement wants tested, under its own names. */
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

/** What other bots are known to suffer from, by group; each was collected from their issue trackers. */
export const groups = {
  T1: "polling dies silently",
  T2: "409 kills the bot",
  T3: "one failing handler stops everything",
  T4: "long handlers time out",
  T5: "one stuck handler blocks everybody",
  T6: "429 crashes or blocks",
  T7: "network loss crashes",
  T8: "duplicates after an ambiguous send",
  T9: "the same update handled twice",
  T10: "updates lost at a restart",
  T11: "a poison update blocks the bot",
  T12: "a durable inbox that goes wrong",
  T13: "order within a chat",
  T14: "broadcasts exceed the limits",
  T15: "blocked chats crash or are tried for ever",
} as const;

export type Group = keyof typeof groups;

/** How it is seen that the bot, or who watches over it, has noticed. */
export type Detection =
  /** A line of the bot's log that says so. */
  | { readonly by: "log"; readonly line: RegExp }
  /** The process ended with this code; "killed": by a signal. */
  | { readonly by: "exit"; readonly code: number | "killed" }
  /** `/api/health` calls this probe degraded or unhealthy. */
  | { readonly by: "health"; readonly probe: string }
  /** There is nothing to notice: it is absorbed. */
  | { readonly by: "nothing" };

/** Which promise about time a fault is held to. */
export type Aim =
  /** Back and answering within 20 s of the hang's beginning. */
  | "hang"
  /** Answering within 5 s of the outage's end. */
  | "outage"
  /** Answering within 2 s of the kill. */
  | "kill";

export interface DrillFault {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  readonly how: string;
  readonly areas: readonly Area[];
  readonly groups?: readonly Group[];
  readonly needs?: readonly Tool[];
  readonly setup?: SceneSetup;
  /** What is seen when it was noticed. */
  readonly detection: Detection;
  readonly aim: Aim;
  /** Milliseconds from `inject` to `end`. Default 3000; 0 where there is no `end`. */
  readonly lastsMs?: number;
  /** Whether it is among those of `--quick`. */
  readonly quick?: boolean;
  /** Whether it can happen together with others, in a random schedule. */
  readonly overlaps?: boolean;
  /**
   * Milliseconds before its death in which the process could not read any answer: what it had sent
   * then is ambiguous. Default 1000, as for a client that leaves so soon after an answer.
   */
  readonly deafMs?: number;
  /** Whether answers can vanish on their way while it lasts: what is sent then is ambiguous. */
  readonly swallows?: boolean;
  /** Whether messages may be given up: what it breaks cannot succeed, or looks like a poison. */
  readonly givesUp?: boolean;
  /** Messages that rightly still wait at the end. Default 0. */
  readonly leaves?: number;
  /** The bot cannot help itself here: it says what to do, and a human does it in `end`. */
  readonly needsHuman?: boolean;
  /** Breaks it. Resolves when it is broken. */
  inject(scene: Scene): Promise<void>;
  /** Makes whole what was broken. Absent: the bot itself has to. */
  end?(scene: Scene): Promise<void>;
  /** What else comes back; waited for after the first answer. Rejects when it does not. */
  afterwards?(scene: Scene): Promise<void>;
  /** What else must hold at the end; @returns one sentence for each promise broken. */
  check?(scene: Scene): Promise<readonly string[]>;
}
