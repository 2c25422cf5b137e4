/** Verdict: what a history says about the promises of ARCHITECTURE.md. */

export type PromiseName = "P1" | "P2" | "P3" | "P4" | "P5" | "P6";

/** One broken promise, at one place. */
export interface Finding {
  readonly promise: PromiseName;
  /** Stable, for tests and tables. */
  readonly what:
    | "update-lost"
    | "update-unconfirmed"
    | "update-waiting"
    | "confirmed-before-stored"
    | "effect-missing"
    | "effect-doubled"
    | "effect-unexpected"
    | "balance-negative"
    | "books-differ"
    | "reply-missing"
    | "reply-without-data"
    | "reply-waiting"
    | "reply-doubled"
    | "reply-unexpected"
    | "effects-out-of-order"
    | "replies-out-of-order"
    | "handlers-overlap"
    | "chat-per-second"
    | "group-per-minute"
    | "bot-per-second"
    | "retry-after-ignored";
  /** The chat, if it is one chat's. */
  readonly chat?: string;
  readonly at?: number;
  /** One sentence with the names. */
  readonly where: string;
}

/** Figures for a report. */
export interface HistoryCounts {
  readonly updates: number;
  readonly deaths: number;
  readonly lost: number;
  readonly effects: number;
  readonly effectsMissing: number;
  /** Done twice, or not owed to anybody. */
  readonly effectsDoubled: number;
  readonly replies: number;
  readonly repliesMissing: number;
  /** Sent again without an excuse, or not owed to anybody. */
  readonly repliesDuplicated: number;
  /** Sent again after a send of which nobody could know whether it was executed. */
  readonly repliesAmbiguous: number;
  readonly deadLetters: number;
  readonly orderViolations: number;
  readonly limitViolations: number;
}

export interface Verdict {
  /** Empty when every promise was kept. */
  readonly findings: readonly Finding[];
  readonly counts: HistoryCounts;
}
