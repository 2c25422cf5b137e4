/**
 * Worker pool: claims the heads of one pool's lanes and works on up to `concurrency` of them at a
 * time.
 *
 * Owns one loop. A slow worker lends out its slot, so that a stuck handler never blocks the others;
 * its lane stays held. While all slots are taken, messages of high priority have a few reserved ones:
 * what has to be answered within seconds does not wait until a slow worker lends its slot.
 */
import type { Clock } from "../../core/clock.ts";
import { BotError } from "../../core/errors.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";
import type { HoldLook, Holds } from "../../core/holds.ts";
import { Loop } from "../../core/loop.ts";
import type { Message, Pool, Priority } from "../../core/message.ts";
import type { PoolGate } from "../../core/message-handler.ts";
import type { ClaimRequest, QueueStore } from "../../core/store.ts";
import { suspectAloneMs } from "./poison-rules.ts";
import { ageMs, decideAgedLimit } from "./priority-rules.ts";

export interface WorkerPoolDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  /** Returns milliseconds since the epoch that never jump (core/clock.ts). */
  readonly now: () => number;
  readonly store: QueueStore;
  /** Messages worked on at a time. */
  readonly concurrency: number;
  /** Further slots, for messages of high priority alone. Default 0. */
  readonly reserved?: number;
  /** Says how many messages may be worked on at a time; the only thing that holds a claim back. */
  readonly holds: Holds;
  readonly gate?: PoolGate;
  /** Works on one message and ends its attempt. Never rejects. */
  readonly work: (message: Message, slot: Slot) => Promise<void>;
  /** Called when a claim has failed; the pool tries again after `retryInMs`. */
  readonly onClaimFailed: (error: unknown, retryInMs: number) => void;
}

/** One of the pool's `concurrency` places, occupied by one message. */
export interface Slot {
  /** Frees the slot once only the commit is left to do: the next claim shares that commit. */
  release(): void;
  /** Lets another message use the slot while this one takes long. */
  lend(): void;
}

/** The pool waits this long after a failed claim, or one that the gate stopped. */
const retryClaimMs = 250;

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
  #slotsUsed = 0;
  #slotsLent = 0;
  #claims = 0;
  #workSubmitted = false;

  constructor(deps: WorkerPoolDeps, suspectsPending: boolean) {
    this.#deps = deps;
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

  /** Messages being worked on. */
  get inHand(): readonly Message[] {
    return [...this.#inHand.values()];
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

  /** Ends claiming; work under way continues. */
  stopClaiming(): Promise<void> {
    return this.#loop.stop();
  }

  /** @returns milliseconds until the next look for work is due; `wake` makes it earlier. */
  async #claimOnce(): Promise<number> {
    const { concurrency, gate, holds, pool, reserved = 0 } = this.#deps;
    const submitted = this.#workSubmitted;
    this.#workSubmitted = false;
    if (this.#slotsUsed >= concurrency + reserved) return Number.POSITIVE_INFINITY;
    try {
      const { limit, reviewInMs } = await holds.allowance(pool);
      const room = () => this.#room(limit);
      const { atLeast, free } = room();
      if (free <= 0) return reviewInMs;
      const suspect = this.#suspects.running;
      const dueInMs = submitted ? 0 : await this.#availableInMs(atLeast);
      if (dueInMs > 0) return dueInMs;
      const claimed = await this.#claim(room);
      if (claimed > 0 || this.#suspects.running !== suspect) return 0;
      const availableInMs = await this.#availableInMs(atLeast);
      if (availableInMs > 0) return availableInMs;
      // There is work, but the gate stopped the claim.
      return Math.max(1, gate?.reopensInMs() ?? retryClaimMs);
    } catch (error) {
      if (error instanceof BotError && !error.transient) void this.#loop.stop();
      this.#deps.onClaimFailed(error, retryClaimMs);
      return retryClaimMs;
    }
  }

  #room(limit: number): Room {
    const { concurrency, reserved = 0 } = this.#deps;
    const free = Math.min(concurrency, limit) - this.#slotsUsed;
    if (free > 0) return { free, atLeast: "low" };
    return { free: Math.min(concurrency + reserved, limit) - this.#slotsUsed, atLeast: "high" };
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
    this.#slotsUsed++;
    this.#inHand.set(message.id, message);
    let held = true;
    let lent = false;
    const release = () => {
      if (!held) return;
      held = false;
      this.#slotsUsed--;
      this.workSubmitted();
    };
    const lend = () => {
      if (!held || this.#slotsLent >= lentSlotsMax) return;
      lent = true;
      this.#slotsLent++;
      release();
    };
    void this.#deps.work(message, { release, lend }).finally(() => {
      if (lent) this.#slotsLent--;
      this.#inHand.delete(message.id);
      if (this.#suspects.running?.messageId === message.id) this.#suspects.running = undefined;
      release();
      this.wake();
    });
  }
}
