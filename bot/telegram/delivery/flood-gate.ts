/**
 * Flood gate: lets a message of the sending pool start when Telegram's limits and the chat's
 * windows allow it.
 *
 * The figures of telegram/delivery/flood-rules.ts survive a restart: what was sent in the last
 * minute is read back from the store, and a call interrupted by a crash counts as still under way.
 */
import type { Clock } from "../../core/clock.ts";
import { steadyEpoch } from "../../core/clock.ts";
import { CallNotSentError } from "../../core/errors.ts";
import type { Message } from "../../core/message.ts";
import type { PoolGate } from "../../core/message-handler.ts";
import type { Admission, ClaimCandidate, QueueStore, SentRecord } from "../../core/store.ts";
import { type CallEnd, FloodControl, type FloodLimits, type FloodVerdict } from "./flood-rules.ts";

export interface FloodGateDeps {
  readonly clock: Clock;
  readonly limits: FloodLimits;
  readonly store: Pick<QueueStore, "sentSince" | "recordSent">;
  /** Whether no call may start at present, because Telegram limits all chats. */
  readonly paused: () => boolean;
}

/** The facts about a call that flood control needs. */
export interface FloodFacts {
  /** The chat whose windows it uses; `undefined` for none. */
  readonly floodScope: string | undefined;
  readonly floodCost: number;
}

const windowMs = 60_000;
/** Milliseconds to wait for a chat's own call in flight, which is usually answered soon. */
const afterFlightMs = 20;
const pruneEveryStarts = 1_000;
/** Milliseconds between two looks while Telegram limits all chats. */
const pausedMs = 250;

export class FloodGate implements PoolGate {
  readonly #deps: FloodGateDeps;
  #flood: FloodControl;
  readonly #now: () => number;
  #reopensAtMs: number | undefined;
  #starts = 0;
  #permits = 0;

  constructor(deps: FloodGateDeps) {
    this.#deps = deps;
    this.#flood = new FloodControl(deps.limits);
    this.#now = steadyEpoch(deps.clock);
  }

  /**
   * Forgets what it knows, and reads back what was sent, by this process or another one. Call before
   * anything is claimed.
   */
  async restore(): Promise<void> {
    const { clock, limits, store } = this.#deps;
    const sent = await store.sentSince(this.#now() - windowMs);
    // Both clocks are read together, after the slow disk has answered.
    const nowMs = clock.monotonicMs();
    const nowEpochMs = this.#now();
    this.#flood = new FloodControl(limits);
    for (const { atEpochMs, cost, scope } of sent) {
      this.#flood.restore(scope, cost, nowEpochMs - atEpochMs, nowMs);
    }
  }

  admit(candidate: ClaimCandidate): Admission {
    const nowMs = this.#deps.clock.monotonicMs();
    const { floodCost, floodScope, messageId } = candidate;
    const low = candidate.priority === "low";
    const overall = this.#flood.overall(floodCost, low, nowMs);
    if (overall !== "now") {
      this.#reopensAtMs = overall === "after-flight" ? undefined : overall.atMs;
      return low ? "next-priority" : "stop";
    }
    if (floodScope !== undefined) {
      const inChat = this.#flood.inChat(floodScope, floodCost, nowMs);
      if (inChat !== "now") return { notBeforeEpochMs: this.#toEpoch(inChat, nowMs) };
    }
    this.#flood.start(messageId, floodScope, floodCost, low, nowMs);
    if (++this.#starts % pruneEveryStarts === 0) this.#flood.prune(nowMs);
    return "take";
  }

  #toEpoch(verdict: Exclude<FloodVerdict, "now">, nowMs: number): number {
    const waitMs = verdict === "after-flight" ? afterFlightMs : verdict.atMs - nowMs;
    return this.#now() + Math.ceil(waitMs);
  }

  withdraw(messageId: number): void {
    this.#flood.ended(messageId, "not-sent");
    this.#flood.settle(messageId, this.#deps.clock.monotonicMs());
  }

  reopensInMs(): number | undefined {
    if (this.#reopensAtMs === undefined) return undefined;
    return this.#reopensAtMs - this.#deps.clock.monotonicMs();
  }

  /** Records how the message's call ended. Call it before `settle`. */
  ended(messageId: number, end: CallEnd): void {
    this.#flood.ended(messageId, end);
  }

  settle(message: Message): SentRecord | undefined {
    return this.#settle(message.id, message);
  }

  #settle(id: number, { floodCost, floodScope }: FloodFacts): SentRecord | undefined {
    const nowMs = this.#deps.clock.monotonicMs();
    const fromMs = this.#flood.settle(id, nowMs);
    if (fromMs === undefined || floodScope === undefined) return undefined;
    return {
      scope: floodScope,
      cost: floodCost,
      atEpochMs: Math.ceil(this.#now() + fromMs - nowMs),
    };
  }

  recovered(message: Message): SentRecord | undefined {
    const { floodCost, floodScope, id } = message;
    const nowMs = this.#deps.clock.monotonicMs();
    // It counts as if this process had started the call and given it up now.
    this.#flood.start(id, floodScope, floodCost, false, nowMs);
    return this.#settle(id, message);
  }

  /**
   * Waits until a call made at once (`ctx.now`) may start.
   *
   * Rejects with `CallNotSentError` when `signal` aborts.
   *
   * @returns a function to call when the call has ended.
   */
  async permit(call: FloodFacts, signal: AbortSignal): Promise<(end: CallEnd) => Promise<void>> {
    // Negative, so it is never the id of a queued message.
    const id = --this.#permits;
    const candidate = { messageId: id, lane: "", priority: "normal", ...call } as const;
    for (;;) {
      if (signal.aborted) throw new CallNotSentError("given up while waiting for flood control");
      if (this.#deps.paused()) {
        await this.#deps.clock.sleep(pausedMs, signal);
        continue;
      }
      const admission = this.admit(candidate);
      if (admission === "take") break;
      const waitMs =
        typeof admission === "object"
          ? admission.notBeforeEpochMs - this.#now()
          : (this.reopensInMs() ?? afterFlightMs);
      await this.#deps.clock.sleep(Math.max(1, waitMs), signal);
    }
    return async (end) => {
      this.#flood.ended(id, end);
      const sent = this.#settle(id, call);
      if (sent) await this.#deps.store.recordSent(sent);
    };
  }
}
