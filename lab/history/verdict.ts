/** Verdict: the findings of the checker about the promises of ARCHITECTURE.md. */

export type PromiseName = "P1" | "P2" | "P3" | "P4" | "P5" | "P6";

/** One case of a broken promise. */
export interface Finding {
  readonly promise: PromiseName;
  /** Stable code for tests and tables. */
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
  /** The chat, if the finding concerns one chat. */
  readonly chat?: string;
  readonly at?: number;
  /** One sentence that names what is affected. */
  readonly where: string;
}

/** Figures for a report. */
export interface HistoryCounts {
  readonly updates: number;
  readonly deaths: number;
  readonly lost: number;
  readonly effects: number;
  readonly effectsMissing: number;
  /** Effects that happened twice, or were not owed. */
  readonly effectsDoubled: number;
  readonly replies: number;
  readonly repliesMissing: number;
  /** Replies sent again without an excuse, or not owed. */
  readonly repliesDuplicated: number;
  /** Replies sent again after an ambiguous send. */
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
