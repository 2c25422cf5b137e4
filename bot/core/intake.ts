/** Intake: where updates come in, by long polls or by a webhook. */

/** One update as Telegram sends it. Only `update_id` is certain; nothing else is trusted. */
export interface RawUpdate {
  readonly update_id: number;
  readonly [field: string]: unknown;
}

/** How the intake is. */
export interface IntakeSnapshot {
  readonly state:
    | "starting"
    | "polling"
    | "listening"
    | "backing-off"
    /** The queue is full. */
    | "back-pressure"
    /** Another process on the same database polls. */
    | "standby"
    /** Nothing is taken on purpose, as in safe mode. */
    | "held"
    | "stopped";
  /** Why it is backing off: an error code. */
  readonly reason: string | undefined;
  /**
   * Milliseconds since Telegram last showed that it is there: by an answered poll, also an empty one,
   * by a request to the webhook, or by an answer about the webhook. `undefined` before the first.
   */
  readonly sinceLastHeardMs: number | undefined;
  readonly failuresInARow: number;
}
