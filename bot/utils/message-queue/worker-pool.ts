/**
 * Worker pool: claims the heads of one pool's lanes and works on up to `concurrency` of them at a
 * time.
 *
 * Owns one loop. It may claim more messages than it has slots: they wait in memory, so that one commit
 * serves more of them. A slow worker lends out its slot, so that a stuck handler never blocks the others;
 * its lane stays held. While all slots are taken, messages of high priority have a few reserved ones:
 * what has to be answered within seconds does not wait until a slow worker lends its slot.
 */
import { type BackoffOptions, fullJitter } from "../../core/backoff.ts";
import type { Clock, Random } from "../../core/clock.ts";
import { BotError } from "../../core/errors.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";
import type { HoldLook, Holds } from "../../core/holds.ts";
import { Loop } from "../../core/loop.ts";
import type { Message, Pool, Priority } from "../../core/message.ts";
import type { PoolGate } from "../../core/message-handler.ts";
import type { ClaimRequest, QueueStore } from "../../core/store.ts";
import { suspectAloneMs } from "./poison-rules.ts";
import { ageMs, decideAgedLimit } from "./priority-rules.ts";
import { isUrgent, OccupiedSlot, type Slot, type SlotHost } from "./slot.ts";
import { Slots } from "./slots.ts";

export interface ClaimFailure {
  readonly error: unknown;
  readonly retryInMs: number;
  /** Claims that have failed since one succeeded, this one included. */
  readonly inARow: number;
  /** Whether the one before failed with the same code, so that there is nothing new to tell. */
  readonly again: boolean;
}

export interface WorkerPoolDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly random: Random;
  /** Returns milliseconds since the epoch that never jump (core/clock.ts). */
  readonly now: () => number;
  readonly store: QueueStore;
  /** Messages worked on at a time. */
  readonly concurrency: number;
  /** Further slots, for messages of high priority alone. Default 0. */
  readonly reserved?: number;
  /** Messages claimed for each slot, so that more of them share a commit. Default 1. */
  readonly claimsPerSlot?: number;
  /** Says how many messages may be worked on at a time; the only thing that holds a claim back. */
  readonly holds: Holds;
  readonly gate?: PoolGate;
  /** Works on one message and ends its attempt. Never rejects. */
  readonly work: (message: Message, slot: Slot) => Promise<void>;
  /** Returns a message to its lane that was claimed, but not begun. Never rejects. */
  readonly giveBack: (message: Message) => Promise<void>;
  /** Called when a claim has failed; the pool tries again. */
  readonly onClaimFailed: (failure: ClaimFailure) => void;
}

/** The pool waits this long after a claim that the gate stopped. */
const retryClaimMs = 250;

/** The store may be back at any time, and people wait: a pool notices it within a second. */
const failedClaimBackoff: BackoffOptions = { initialMs: 250, maxMs: 1_000 };

/** The pool looks for work at least this often, so that its heartbeat is meaningful. */
const napMsMax = 30_000;

/** At most this many slow messages lend their slot; beyond that the pool counts as full. */
const lentSlotsMax = 100;

/** How many messages may be claimed, and of which priority at least. */
interface Room {
  readonly free: number;
  readonly atLeast: Priority;
}

interface Suspects {
  /** Whether unclaimed suspects may be left from the last death. */
  pending: boolean;
  running: { readonly messageId: number; readonly startedAtMs: number } | undefined;
}

export class WorkerPool {
  readonly #deps: WorkerPoolDeps;
  readonly #inHand = new Map<number, Message>();
  readonly #suspects: Suspects;
  readonly #loop: Loop;
  readonly #slots: Slots;
  readonly #slotHost: SlotHost;
  /** Messages that are claimed and wait for a slot. */
  readonly #waiting = new Set<Message>();
  /** Messages that wait for a slot or are worked on. */
  #claimed = 0;
  readonly #lent = new Set<Message>();
  #claims = 0;
  /** Claims that have failed in a row, and the code of the last one. */
  #failures = 0;
  #lastCode: string | undefined;
  #workSubmitted = false;

  constructor(deps: WorkerPoolDeps, suspectsPending: boolean) {
    this.#deps = deps;
    const { concurrency, reserved = 0 } = deps;
    this.#slots = new Slots({ concurrency, reserved });
    this.#slotHost = {
      slots: this.#slots,
      mayLend: (message) => {
        if (this.#lent.size >= lentSlotsMax) return false;
        this.#lent.add(message);
        return true;
      },
      released: () => {
        this.#claimed--;
        this.workSubmitted();
      },
    };
    this.#loop = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(Math.min(await this.#claimOnce(), napMsMax)));
    });
    this.#suspects = { pending: suspectsPending, running: undefined };
    deps.holds.add({
      kind: "suspect-alone",
      targets: [deps.pool],
      look: () => this.#suspectAlone(),
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Messages that are claimed. */
  get inHand(): readonly Message[] {
    return [...this.#inHand.values()];
  }

  /** How many messages are claimed and wait for a slot. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Beats once per look for work. */
  get heartbeat(): Heartbeat {
    return this.#loop.heartbeat;
  }

  /** Makes the pool look for work now. Safe to call at any time. */
  wake(): void {
    this.#loop.wake();
  }

  /**
   * Makes the pool claim now: work for it was submitted to the store, so the claim shares its commit.
   */
  workSubmitted(): void {
    this.#workSubmitted = true;
    this.wake();
  }

  /** Messages that may have killed another process are waiting now. */
  suspectsFound(): void {
    this.#suspects.pending = true;
    this.wake();
  }

  /** Ends claiming, and gives back what was not begun; work under way continues. */
  stopClaiming(): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const message of waiting) this.#giveBack(message);
    return this.#loop.stop();
  }

  /** @returns milliseconds until the next look for work is due; `wake` makes it earlier. */
  async #claimOnce(): Promise<number> {
    const { gate, holds, pool } = this.#deps;
    const submitted = this.#workSubmitted;
    this.#workSubmitted = false;
    if (this.#room(Number.POSITIVE_INFINITY).free <= 0) return Number.POSITIVE_INFINITY;
    try {
      const { limit, reviewInMs } = await holds.allowance(pool);
      const room = () => this.#room(limit);
      const { atLeast, free } = room();
      if (free <= 0) return reviewInMs;
      const suspect = this.#suspects.running;
      const dueInMs = submitted ? 0 : await this.#availableInMs(atLeast);
      const claimed = dueInMs > 0 ? 0 : await this.#claim(room);
      this.#failures = 0;
      if (dueInMs > 0) return dueInMs;
      if (claimed > 0 || this.#suspects.running !== suspect) return 0;
      const availableInMs = await this.#availableInMs(atLeast);
      if (availableInMs > 0) return availableInMs;
      // There is work, but the gate stopped the claim.
      return Math.max(1, gate?.reopensInMs() ?? retryClaimMs);
    } catch (error) {
      if (error instanceof BotError && !error.transient) void this.#loop.stop();
      return this.#claimFailed(error);
    }
  }

  /** @returns milliseconds until the next attempt. */
  #claimFailed(error: unknown): number {
    const retryInMs = 1 + fullJitter(failedClaimBackoff, ++this.#failures, this.#deps.random);
    const code = error instanceof BotError ? error.code : undefined;
    const again = this.#failures > 1 && code === this.#lastCode;
    this.#deps.onClaimFailed({ error, retryInMs, again, inARow: this.#failures });
    this.#lastCode = code;
    return retryInMs;
  }

  #room(limit: number): Room {
    const { claimsPerSlot = 1, concurrency, reserved = 0 } = this.#deps;
    const claimsMax = concurrency * claimsPerSlot;
    const free = Math.min(claimsMax, limit) - this.#claimed;
    if (free > 0) return { free, atLeast: "low" };
    return { free: Math.min(claimsMax + reserved, limit) - this.#claimed, atLeast: "high" };
  }

  #suspectAlone(): HoldLook | undefined {
    const sinceMs = this.#suspects.running?.startedAtMs;
    if (sinceMs === undefined) return undefined;
    const untilMs = sinceMs + suspectAloneMs;
    if (this.#deps.clock.monotonicMs() >= untilMs) return undefined;
    const reason = "a message that may have killed the process runs alone";
    return { limit: 1, sinceMs, untilMs, reason };
  }

  /** Milliseconds until a head becomes available; 0 or less when one is. */
  async #availableInMs(atLeast: Priority): Promise<number> {
    const nextAt = await this.#deps.store.nextAvailableAtEpochMs(this.#deps.pool, atLeast);
    return nextAt === undefined ? Number.POSITIVE_INFINITY : nextAt - this.#deps.now();
  }

  /** @param room How many messages may be claimed, as it is when it is asked. */
  async #claim(room: () => Room): Promise<number> {
    // One that hangs has had its time alone; the others must not wait until it is given up.
    const alone = this.#suspectAlone() !== undefined;
    if (this.#suspects.pending && !alone && room().atLeast === "low") {
      const suspects = await this.#claimHeads(() => ({ free: 1, atLeast: "low" }), "only");
      const first = suspects[0];
      if (first) {
        const startedAtMs = this.#deps.clock.monotonicMs();
        this.#suspects.running = { messageId: first.id, startedAtMs };
        this.#take(first);
        return 1;
      }
      this.#suspects.pending = false;
    }
    const others = this.#suspects.pending || alone ? "without" : "with";
    // Others may end until the claim is carried out, and their slots are claimed for in the same commit.
    const claimed = await this.#claimHeads(room, others);
    for (const message of claimed) this.#take(message);
    return claimed.length;
  }

  async #claimHeads(room: () => Room, suspects: ClaimRequest["suspects"]) {
    const { gate, now, pool, store } = this.#deps;
    const claimsBefore = this.#claims;
    const admitted: number[] = [];
    try {
      const claimed = await store.claim({
        pool,
        get limit() {
          return room().free;
        },
        get atLeast() {
          return room().atLeast;
        },
        get agedLimit() {
          return decideAgedLimit(claimsBefore, room().free);
        },
        agedBefore: { normal: now() - ageMs.normal, low: now() - ageMs.low },
        suspects,
        ...(gate && {
          admit: (candidate) => {
            const admission = gate.admit(candidate);
            if (admission === "take") admitted.push(candidate.messageId);
            return admission;
          },
          withdraw: (messageId) => gate.withdraw(messageId),
        }),
      });
      this.#claims += claimed.length;
      return claimed;
    } catch (error) {
      for (const messageId of admitted) gate?.withdraw(messageId);
      throw error;
    }
  }

  #take(message: Message): void {
    this.#inHand.set(message.id, message);
    this.#claimed++;
    if (this.#slots.tryAcquire(isUrgent(message))) {
      this.#begin(message);
      return;
    }
    this.#waiting.add(message);
    this.#slots.acquire(isUrgent(message), () => {
      if (this.#isStillWanted(message)) this.#begin(message);
      else this.#slots.release();
    });
  }

  /** Gives a message back if a hold has come while it waited for a slot. */
  #isStillWanted(message: Message): boolean {
    if (!this.#waiting.delete(message)) return false;
    const working = this.#claimed - this.#waiting.size;
    if (working <= this.#deps.holds.limit(this.#deps.pool)) return true;
    this.#giveBack(message);
    return false;
  }

  #giveBack(message: Message): void {
    this.#claimed--;
    void this.#deps.giveBack(message).finally(() => {
      this.#inHand.delete(message.id);
      this.wake();
    });
  }

  #begin(message: Message): void {
    const slot = new OccupiedSlot(message, this.#slotHost);
    void this.#deps.work(message, slot).then(() => {
      this.#lent.delete(message);
      this.#inHand.delete(message.id);
      if (this.#suspects.running?.messageId === message.id) this.#suspects.running = undefined;
      slot.release();
      this.wake();
    });
  }
}
