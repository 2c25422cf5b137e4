/**
 * Operations: what an operator sees and does, for a module that lets people operate the bot from a chat.
 *
 * It is narrower than the monitoring API, and shows nobody's words: no payloads, and of errors only their
 * codes. A module decides itself who may use it, and writes down who did what.
 */
import type { HoldKind, HoldTarget } from "../core/holds.ts";
import type { DeadLetter, Pool } from "../core/message.ts";

/** A dead letter without its payload and without the texts of its errors. */
export interface DeadLetterFacts
  extends Pick<
    DeadLetter,
    "id" | "type" | "reason" | "lane" | "attempts" | "deaths" | "createdAtEpochMs" | "diedAtEpochMs"
  > {
  /** The codes of its errors, oldest first. */
  readonly errorCodes: readonly string[];
}

/** A hold in force. */
export interface HoldFacts {
  readonly kind: HoldKind;
  readonly target: HoldTarget;
  /** One sentence, without anybody's words or ids. */
  readonly reason: string;
  readonly sinceEpochMs: number;
  /** Its latest end as far as it is known. */
  readonly untilEpochMs: number | null;
}

/** An incident of the incident book. */
export interface IncidentFacts {
  readonly id: number;
  readonly subject: string;
  readonly trouble: string;
  readonly openedAtEpochMs: number;
  /** Missing while it is open. */
  readonly closedAtEpochMs?: number;
}

/** Part of `Kit`. Its methods reject with a `Storage…Error` when the store does not work. */
export interface Operations {
  /**
   * Newest first.
   *
   * @param page `limit` is 1 to 1000.
   */
  deadLetters(page: {
    readonly offset: number;
    readonly limit: number;
  }): Promise<{ readonly total: number; readonly letters: readonly DeadLetterFacts[] }>;
  deadLetter(id: number): Promise<DeadLetterFacts | undefined>;
  /**
   * Puts a dead letter back at the end of its lane. It happens at once, not with the update's commit, so a
   * handler that runs again finds the letter gone.
   *
   * @returns false when there is no such dead letter.
   */
  requeue(id: number): Promise<boolean>;
  holds(): Promise<readonly HoldFacts[]>;
  /** Newest first. */
  incidents(limit: number): readonly IncidentFacts[];
  pausedPools(): Promise<readonly Pool[]>;
  /** Pauses or resumes a pool, also over restarts. Doing it again changes nothing. */
  setPaused(pool: Pool, paused: boolean): Promise<void>;
}
