/**
 * Delayed messages: those whose time has not come. They stay on disk and take no memory; what is kept
 * here is up to which instant messages have entered their lanes, and when the next one does.
 */
import type { Pool } from "../../core/message.ts";
import type { MessageRow } from "./message-rows.ts";
import type { IndexRow, MessageTable } from "./message-table.ts";

export class DelayedMessages {
  readonly #messages: MessageTable;
  readonly #max: number;
  #counts = new Map<Pool, number>();
  /** Whatever enters at this instant or earlier is in its lane. */
  #enteredUpTo = 0;
  #nextAt = Number.POSITIVE_INFINITY;

  /** @param max Most messages that are delayed at a time. */
  constructor(messages: MessageTable, max: number) {
    this.#messages = messages;
    this.#max = max;
  }

  /** When the next one enters its lane; `Infinity`: none does. It may be too early, never too late. */
  get nextAt(): number {
    return this.#nextAt;
  }

  get isFull(): boolean {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0) >= this.#max;
  }

  count(pool: Pool): number {
    return this.#counts.get(pool) ?? 0;
  }

  has({ enters_at: at }: Pick<MessageRow, "enters_at">): boolean {
    return at !== null && at > this.#enteredUpTo;
  }

  /** Begins anew from the table, in which everything is written. @returns those that are in their lanes. */
  load(enteredUpTo = this.#enteredUpTo): readonly IndexRow[] {
    this.#enteredUpTo = enteredUpTo;
    this.#counts = new Map(this.#messages.delayedAfter(enteredUpTo));
    this.#nextAt = this.#messages.firstEntry(enteredUpTo);
    return this.#messages.entering(0, enteredUpTo);
  }

  add({ enters_at: at, pool }: MessageRow): void {
    this.#change(pool, 1);
    this.#nextAt = Math.min(this.#nextAt, at ?? Number.POSITIVE_INFINITY);
  }

  /** One was taken away. */
  remove(pool: Pool): void {
    this.#change(pool, -1);
  }

  /** Ends the delay of those whose time has come. @returns them, in the order in which they enter. */
  enter(now: number): readonly IndexRow[] {
    if (now <= this.#enteredUpTo) return [];
    const after = this.#enteredUpTo;
    this.#enteredUpTo = now;
    if (this.#nextAt > now) return [];
    const rows = this.#messages.entering(after, now);
    for (const { pool } of rows) this.#change(pool, -1);
    this.#nextAt = this.#messages.firstEntry(now);
    return rows;
  }

  #change(pool: Pool, by: number): void {
    this.#counts.set(pool, this.count(pool) + by);
  }
}
