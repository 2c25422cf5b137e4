/**
 * Update queue: one bot's updates, first in, first out, as Telegram's servers keep them.
 *
 * Reading confirms nothing; a later read with a higher offset does. Offsets far in the future or
 * the past count as 0. Times are epoch milliseconds, given by the caller.
 * Source: Bot API, getUpdates; tdlib/td, TQueue.cpp.
 */
import { type Random, randomInteger } from "../random.ts";

export interface QueuedUpdate {
  readonly id: number;
  /** Webhooks keep the order of updates with the same key. */
  readonly key: string;
  /** The JSON sent to the bot. */
  readonly body: string;
  readonly sizeBytes: number;
  readonly expiresAtEpochMs: number;
}

/** Why an update left the queue. */
export type UpdateEnd = "confirmed" | "expired" | "dropped";

export interface UpdateQueueOptions {
  readonly random: Random;
  readonly onEnd: (updateId: number, end: UpdateEnd) => void;
}

const updatesMax = 100_000;
const totalBytesMax = 128 * 2 ** 20;
const updateBytesMax = 512 * 2 ** 10;
const answerBytesMax = 4 * 2 ** 20;
const firstIdMin = 2_000_001;
const firstIdMax = 1_000_000_000;
const idMax = 2_000_000_000;
const futureMax = 10;
const pastMax = 100_000;

export class UpdateQueue {
  readonly #options: UpdateQueueOptions;
  #updates: QueuedUpdate[] = [];
  /** Updates before this index are gone; the array is shortened from time to time. */
  #start = 0;
  #totalBytes = 0;
  #tailId: number;

  constructor(options: UpdateQueueOptions) {
    this.#options = options;
    this.#tailId = this.#randomStart();
  }

  /** The id the next update will get. */
  get nextId(): number {
    return this.#tailId;
  }

  get pending(): number {
    return this.#updates.length - this.#start;
  }

  /** The oldest pending id, or the next one when nothing is pending. */
  get headId(): number {
    return this.#updates[this.#start]?.id ?? this.#tailId;
  }

  /** @returns the update's id, or undefined when it was dropped because a limit is reached. */
  add(bodyFor: (id: number) => string, expiresAtEpochMs: number, key = ""): number | undefined {
    if (this.#tailId >= idMax) {
      this.clear("dropped");
      this.#tailId = this.#randomStart();
    }
    const id = this.#tailId;
    const body = bodyFor(id);
    const sizeBytes = Buffer.byteLength(body);
    const full = this.pending >= updatesMax || this.#totalBytes + sizeBytes > totalBytesMax;
    if (full || sizeBytes > updateBytesMax) return undefined;
    this.#updates.push({ id, key, body, sizeBytes, expiresAtEpochMs });
    this.#totalBytes += sizeBytes;
    this.#tailId = id + 1;
    return id;
  }

  /** Confirms the updates below the offset, and returns the updates to send. */
  read(offset: number, limit: number, nowEpochMs: number): readonly QueuedUpdate[] {
    if (offset < 0) this.#keepLast(-offset);
    const ignored =
      offset <= 0 || offset > this.#tailId + futureMax || offset < this.headId - pastMax;
    if (!ignored) this.#confirmBelow(offset);
    return this.#collect(limit, nowEpochMs);
  }

  /** The first update with a higher id, whether it has expired or not. */
  after(id: number): QueuedUpdate | undefined {
    return this.#updates[this.#indexAfter(id)];
  }

  /** Removes one update from anywhere in the queue. */
  remove(id: number, end: UpdateEnd): void {
    const index = this.#indexAfter(id - 1);
    const update = this.#updates[index];
    if (update?.id !== id) return;
    this.#updates.splice(index, 1);
    this.#totalBytes -= update.sizeBytes;
    this.#options.onEnd(id, end);
  }

  /** Index of the first update with a higher id; ids are in order. */
  #indexAfter(id: number): number {
    let low = this.#start;
    let high = this.#updates.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#updates[middle] as QueuedUpdate).id <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  clear(end: UpdateEnd): void {
    while (this.pending > 0) this.#shift(end);
    this.#compact();
  }

  /** @returns false when the id would not be above everything pending. */
  jump(toId: number): boolean {
    const last = this.#updates[this.#updates.length - 1];
    if (this.pending > 0 && last && toId <= last.id) return false;
    this.#tailId = toId;
    return true;
  }

  #collect(limit: number, nowEpochMs: number): readonly QueuedUpdate[] {
    const found: QueuedUpdate[] = [];
    const expired = new Set<QueuedUpdate>();
    let sizeBytes = 0;
    for (let index = this.#start; index < this.#updates.length; index++) {
      if (found.length >= limit || sizeBytes >= answerBytesMax) break;
      const update = this.#updates[index] as QueuedUpdate;
      if (update.expiresAtEpochMs <= nowEpochMs) {
        expired.add(update);
        continue;
      }
      if (found.length > 0 && sizeBytes + update.sizeBytes > answerBytesMax) break;
      found.push(update);
      sizeBytes += update.sizeBytes;
    }
    if (expired.size > 0) this.#remove(expired);
    return found;
  }

  #remove(expired: ReadonlySet<QueuedUpdate>): void {
    this.#updates = this.#updates.slice(this.#start).filter((update) => !expired.has(update));
    this.#start = 0;
    for (const update of expired) {
      this.#totalBytes -= update.sizeBytes;
      this.#options.onEnd(update.id, "expired");
    }
  }

  #keepLast(count: number): void {
    while (this.pending > count) this.#shift("confirmed");
    this.#compact();
  }

  #confirmBelow(offset: number): void {
    while (this.pending > 0 && this.headId < offset) this.#shift("confirmed");
    this.#compact();
  }

  #shift(end: UpdateEnd): void {
    const update = this.#updates[this.#start] as QueuedUpdate;
    this.#start += 1;
    this.#totalBytes -= update.sizeBytes;
    this.#options.onEnd(update.id, end);
  }

  #compact(): void {
    if (this.#start < 1_024 && this.#start < this.#updates.length) return;
    this.#updates = this.#updates.slice(this.#start);
    this.#start = 0;
  }

  #randomStart(): number {
    return randomInteger(this.#options.random, firstIdMin, firstIdMax);
  }
}
