/** Update source: where updates come from, by long polls or by a webhook. */
import type { Component } from "./component.ts";

/** One update as Telegram sends it. Only `update_id` is certain; nothing else is trusted. */
export interface RawUpdate {
  readonly update_id: number;
  readonly [field: string]: unknown;
}

/** What intake has to say for itself. */
export interface UpdateSourceSnapshot {
  readonly state:
    | "starting"
    | "polling"
    | "listening"
    | "backing-off"
    | "back-pressure"
    | "stopped";
  /** Why it is backing off: an error code. */
  readonly reason: string | undefined;
  /**
   * Milliseconds since the last completed poll, or since Telegram was last heard of where it comes by
   * itself; `undefined` before the first.
   */
  readonly sinceLastPollMs: number | undefined;
  readonly failuresInARow: number;
}

/** Delivers every update to the queue before it tells Telegram "got it" (promise P1). */
export interface UpdateSource extends Component {
  /** Telegram is there again, as somebody else has found: looks at once. */
  nudge(): void;
  snapshot(): UpdateSourceSnapshot;
}
