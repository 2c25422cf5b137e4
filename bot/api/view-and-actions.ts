/**
 * View and actions: what the API shows and does, as functions that the launcher gives to it.
 *
 * The shapes of the answers are in shapes/; `/api/openapi.json` is made from them.
 */
import type { z } from "zod";
import type { DeadReason, MessageType, Pool } from "../core/message.ts";
import type * as health from "./shapes/health.ts";
import type * as holds from "./shapes/holds.ts";
import type * as panels from "./shapes/panels.ts";
import type * as process from "./shapes/process.ts";
import type * as queue from "./shapes/queue.ts";

/** A value of a shape, read-only. */
export type Shape<S extends z.ZodType> = DeepReadonly<z.input<S>>;
type Shown<S extends z.ZodType> = Shape<S> | Promise<Shape<S>>;
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export interface DeadLetterQuery {
  readonly type?: MessageType | undefined;
  readonly reason?: DeadReason | undefined;
  /** Code of the latest error. */
  readonly code?: string | undefined;
}

/** A panel of the module. */
export interface ShownPanel {
  readonly name: string;
  readonly title: Shape<typeof panels.wording>;
  /** Gives what it shows, as the module gave it: not checked yet, and with what is about people. */
  readonly read: () => unknown;
}

/** Everything the API can show; each function is called once a request. */
export interface MonitoringView {
  readonly live: () => Shape<typeof health.live>;
  readonly ready: () => Shape<typeof health.ready>;
  readonly health: () => Shown<typeof health.health>;
  readonly healthHistory: () => Shown<typeof health.healthHistory>;
  readonly status: () => Shown<typeof process.status>;
  readonly metrics: () => Shown<typeof process.metrics>;
  /** All figures in Prometheus' text format. */
  readonly prometheus: () => string | Promise<string>;
  /** @param sinceEpochMs Only points and marks after this instant. */
  readonly series: (sinceEpochMs: number) => Shown<typeof process.series>;
  readonly messageQueue: () => Shown<typeof queue.messageQueue>;
  readonly delayed: (page: {
    readonly type?: MessageType | undefined;
    readonly offset: number;
    readonly limit: number;
  }) => Shown<typeof queue.delayedList>;
  readonly holds: () => Shown<typeof holds.holds>;
  readonly connections: () => Shown<typeof health.connections>;
  readonly errors: (limit: number) => Shown<typeof process.errors>;
  readonly incidents: (limit: number) => Shown<typeof process.incidents>;
  readonly restarts: (limit: number) => Shown<typeof process.restarts>;
  readonly processes: () => Shown<typeof process.processes>;
  readonly logs: (limit: number) => Shown<typeof process.logs>;
  readonly deadLetters: (
    filter: DeadLetterQuery & { readonly offset: number; readonly limit: number },
  ) => Shown<typeof queue.deadLetterList>;
  /** One dead letter with its payload. */
  readonly deadLetter: (id: number) => Promise<Shape<typeof queue.shownDeadLetter> | undefined>;
  readonly panels: () => readonly ShownPanel[];
}

/** Everything the API can do. */
export interface MonitoringActions {
  /** Drains and ends the process, so that it is started again. @returns false when that is under way. */
  readonly restartProcess: (detail: string) => boolean;
  /** Asks a process that shares the store to restart. @returns false when none of that number lives. */
  readonly askRestart: (number: number) => Promise<boolean>;
  /** Begins to restart one component; an event tells how it went. */
  readonly restartComponent: (name: string, cause: string) => void;
  readonly setPaused: (pool: Pool, paused: boolean) => Promise<void>;
  /** @returns false when no such message is delayed. */
  readonly runNow: (messageId: number) => Promise<boolean>;
  /** @returns the new message's id, or `undefined` when there is no such dead letter. */
  readonly requeue: (deadLetterId: number) => Promise<number | undefined>;
  /** @returns false when there is no such dead letter. */
  readonly deleteDeadLetter: (deadLetterId: number) => Promise<boolean>;
  /** @returns "unknown" when no such hold is in force, "not-releasable" when only its test can end it. */
  readonly releaseHold: (id: string) => Promise<"released" | "unknown" | "not-releasable">;
  readonly setLogLevel: (level: Shape<typeof process.logLevel>["level"]) => void;
  readonly backup: () => Promise<Shape<typeof process.backup>>;
  readonly rotateKey: () => Promise<Shape<typeof process.keyRotation>>;
}
