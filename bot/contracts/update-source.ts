/** Update source: where updates come from (long polling now; a webhook is another one). */
import type { Component } from "./component.ts";

/** One update as Telegram sends it. Only `update_id` is certain; nothing else is trusted. */
export interface RawUpdate {
  readonly update_id: number;
  readonly [field: string]: unknown;
}

/** What intake has to say for itself. */
export interface UpdateSourceSnapshot {
  readonly state: "starting" | "polling" | "backing-off" | "back-pressure" | "stopped";
  /** Why it is backing off: an error code. */
  readonly reason: string | undefined;
  /** Milliseconds since the last completed poll; `undefined` before the first. */
  readonly sinceLastPollMs: number | undefined;
  readonly failuresInARow: number;
}

/** Delivers every update to the queue before it tells Telegram "got it" (promise P1). */
export interface UpdateSource extends Component {
  snapshot(): UpdateSourceSnapshot;
}
