/**
 * Rate limits: what is to be done when Telegram answers 429 (promises P6 and P13).
 *
 * One chat's limit makes its lane wait; a wait beyond a bound of ours sets the message aside, and the
 * lane goes on with the next one. The limit over all chats is in overall-limit-rules.ts.
 */
import { type Clock, steadyEpoch } from "../../core/clock.ts";
import { StorageFullError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { HoldLook, Holds, LaneHold } from "../../core/holds.ts";
import { LruMap } from "../../core/lru-map.ts";
import type { Message, Pool } from "../../core/message.ts";
import type { FactStore } from "../../core/store.ts";
import {
  afterAccepted,
  afterRateLimit,
  limitedBefore,
  type OverallLimit,
  overallLimitRules,
  overallOpen,
  sendsAtATime,
} from "./overall-limit-rules.ts";

export interface RateLimitsDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly holds: Holds;
  /** Milliseconds that a message may wait for its chat's limit before it is set aside. */
  readonly waitMaxMs: number;
  readonly store: Pick<FactStore, "getFact" | "setFact">;
}

/** The verdict on a message that was answered with 429. */
export type RateLimitVerdict =
  | { readonly kind: "wait"; readonly delayMs: number }
  | { readonly kind: "set-aside" };

interface LimitedChat {
  readonly pool: Pool;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Until when Telegram limits all chats, as it said last. */
const limitedFact = "sending.limited-until";
/** Messages and chats that are remembered. */
const rememberedMax = 1_000;

export class RateLimits {
  readonly #deps: RateLimitsDeps;
  /** When each waiting message got its first 429. */
  readonly #firstAtMs = new LruMap<number, number>(rememberedMax);
  /** Chats whose messages were set aside, and until when Telegram refuses them. */
  readonly #chats = new LruMap<string, LimitedChat>(rememberedMax);
  readonly #now: () => number;
  #overall: OverallLimit = overallOpen;

  constructor(deps: RateLimitsDeps) {
    this.#deps = deps;
    this.#now = steadyEpoch(deps.clock);
    deps.holds.add({
      kind: "all-chats-rate-limited",
      targets: ["sending"],
      look: () => this.#hold(),
      release: () => {
        this.#overall = overallOpen;
      },
    });
    deps.holds.addLanes({
      list: async (limit) => this.#limitedChats().slice(0, limit),
      release: async (_pool, lane) => this.#chats.delete(lane),
    });
  }

  /** Records that Telegram has accepted a send. */
  async accepted(message: Pick<Message, "id" | "lane">, begunAtMs: number): Promise<void> {
    this.#firstAtMs.delete(message.id);
    this.#chats.delete(message.lane);
    const before = this.#overall;
    this.#overall = afterAccepted(before, begunAtMs);
    if (this.#overall !== before) await this.#keepForRestart("0");
  }

  /** Whether no send may start at present. */
  get paused(): boolean {
    return sendsAtATime(this.#overall, this.#deps.clock.monotonicMs()) === 0;
  }

  /** Goes on carefully when all chats were limited before. Call before anything is claimed. */
  async restore(): Promise<void> {
    const { clock, store } = this.#deps;
    const until = Number((await store.getFact(limitedFact)) ?? 0);
    this.#overall = until > this.#now() ? limitedBefore(clock.monotonicMs()) : overallOpen;
  }

  /**
   * Tells the next process until when all chats are limited. A full disk must not change what becomes of
   * the send: without this, the next process only meets the limit once more.
   */
  async #keepForRestart(until: string): Promise<void> {
    try {
      await this.#deps.store.setFact(limitedFact, until);
    } catch (error) {
      if (!(error instanceof StorageFullError)) throw error;
    }
  }

  /** Records a 429 and decides what follows. */
  async refused(
    message: Pick<Message, "id" | "lane" | "pool">,
    retryAfterMs: number,
  ): Promise<RateLimitVerdict> {
    const { clock, publish, waitMaxMs } = this.#deps;
    const nowMs = clock.monotonicMs();
    this.#overall = afterRateLimit(this.#overall, message.lane, retryAfterMs, nowMs);
    const overall = this.#overall.kind === "limited";
    const firstAtMs = this.#firstAtMs.get(message.id) ?? nowMs;
    const tooLong = nowMs - firstAtMs + retryAfterMs > waitMaxMs;
    // It may be the limit over all that refuses this chat: then it is not the chat's message that waits
    // too long.
    const setAside = tooLong && !overall;
    if (overall) await this.#keepForRestart(String(this.#now() + retryAfterMs));
    publish({
      type: "telegram.rate-limited",
      scope: overall ? "global" : "lane",
      retryAfterMs,
      setAside,
    });
    if (setAside) {
      const sinceMs = this.#chats.get(message.lane)?.sinceMs ?? nowMs;
      const untilMs = nowMs + retryAfterMs;
      this.#firstAtMs.delete(message.id);
      this.#chats.set(message.lane, { pool: message.pool, sinceMs, untilMs });
      return { kind: "set-aside" };
    }
    this.#firstAtMs.set(message.id, firstAtMs);
    const delayMs = overall
      ? Math.min(retryAfterMs, 2 * overallLimitRules.pauseMaxMs)
      : retryAfterMs;
    return { kind: "wait", delayMs };
  }

  #hold(): HoldLook | undefined {
    if (this.#overall.kind === "open") return undefined;
    const { pausedUntilMs, sinceMs } = this.#overall;
    const nowMs = this.#deps.clock.monotonicMs();
    return {
      limit: sendsAtATime(this.#overall, nowMs),
      sinceMs,
      ...(pausedUntilMs > nowMs && { untilMs: pausedUntilMs }),
      reason: "Telegram limits several chats at once",
    };
  }

  #limitedChats(): LaneHold[] {
    const { clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const toEpoch = clock.epochMs() - nowMs;
    for (const [lane, { untilMs }] of this.#chats) if (untilMs <= nowMs) this.#chats.delete(lane);
    return [...this.#chats].map(([lane, { pool, sinceMs, untilMs }]) => ({
      kind: "chat-rate-limited",
      target: pool,
      lane,
      reason: "Telegram limits this chat for so long that its messages are set aside",
      sinceEpochMs: Math.round(sinceMs + toEpoch),
      untilEpochMs: Math.round(untilMs + toEpoch),
    }));
  }
}
