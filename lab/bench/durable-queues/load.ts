/**
 * Load: feeds updates to a queue, and judges what it sends.
 *
 * Each chat's updates are numbered, so a reply that is missing, repeated or out of order is found.
 */
import { nowMs, pause } from "../../drill/bot-process.ts";
import { openLoop } from "../open-loop.ts";
import type { DurableQueue, Update } from "./durable-queue.ts";

/** What went wrong. All are 0 unless the queue is broken. */
export interface Faults {
  readonly unanswered: number;
  readonly repeated: number;
  readonly disordered: number;
}

export interface Filled {
  readonly answered: number;
  readonly seconds: number;
}

/** Updates that are queued together, as many as Telegram gives with one poll. */
const batch = 100;
/** How often it is looked whether there is room, or nothing left. */
const lookEveryMs = 1;
const drainMsMax = 60_000;

export class Load {
  readonly #chats: number;
  /** How many updates each chat has written, and had answered. */
  readonly #written = new Map<number, number>();
  readonly #answeredOf = new Map<number, number>();
  #fed = 0;
  #answered = 0;
  #repeated = 0;
  #disordered = 0;
  #latencies: number[] = [];

  constructor(chats: number) {
    this.#chats = chats;
  }

  /** A reply was sent. */
  readonly sent = ({ atMs, chat, number }: Update): void => {
    const last = this.#answeredOf.get(chat) ?? 0;
    if (number <= last) this.#repeated++;
    else if (number > last + 1) this.#disordered++;
    this.#answeredOf.set(chat, Math.max(number, last));
    this.#answered++;
    this.#latencies.push(nowMs() - atMs);
  };

  get faults(): Faults {
    return {
      unanswered: Math.max(0, this.#fed - this.#answered),
      repeated: this.#repeated,
      disordered: this.#disordered,
    };
  }

  /** Keeps so many updates unanswered for a while, then waits until all are answered. */
  async fill(queue: DurableQueue, waiting: number, seconds: number): Promise<Filled> {
    const startedAtMs = nowMs();
    const before = this.#answered;
    const share = Math.min(batch, Math.ceil(waiting / 4));
    while (nowMs() < startedAtMs + seconds * 1_000) {
      const room = waiting - (this.#fed - this.#answered);
      if (room >= share) await queue.add(this.#next(Math.min(batch, room)));
      else await pause(lookEveryMs);
    }
    const answered = this.#answered - before;
    const took = (nowMs() - startedAtMs) / 1_000;
    await this.drain();
    return { answered, seconds: took };
  }

  /**
   * Writes at fixed instants, and waits until all are answered.
   *
   * @returns how many milliseconds each waited, from the instant that was meant.
   */
  async pace(queue: DurableQueue, perSecond: number, seconds: number): Promise<readonly number[]> {
    this.#latencies = [];
    await openLoop(Math.ceil(perSecond * seconds), perSecond, async (_, atMs) => {
      await queue.add(this.#next(1, atMs));
    });
    await this.drain();
    return this.#latencies;
  }

  async drain(): Promise<void> {
    const untilMs = nowMs() + drainMsMax;
    while (this.#answered < this.#fed && nowMs() < untilMs) await pause(lookEveryMs);
  }

  #next(count: number, atMs = nowMs()): readonly Update[] {
    this.#fed += count;
    return Array.from({ length: count }, () => {
      const chat = 1 + Math.floor(Math.random() * this.#chats);
      const number = (this.#written.get(chat) ?? 0) + 1;
      this.#written.set(chat, number);
      return { chat, number, atMs };
    });
  }
}
