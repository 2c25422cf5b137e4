/**
 * Breaker: keeps calls away from Telegram while it does not answer, and probes it with `getMe`.
 *
 * Wraps a `BotApi`. Owns one probing loop while it is open. The rules are in
 * telegram/delivery/breaker-rules.ts.
 */
import type { BotApi, CallOptions } from "../../core/bot-api.ts";
import type { Clock, Random } from "../../core/clock.ts";
import {
  BreakerOpenError,
  recordError,
  TelegramError,
  UnauthorizedError,
} from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { HoldLook, Holds } from "../../core/holds.ts";
import { Loop } from "../../core/loop.ts";
import type { JsonObject } from "../../core/message.ts";
import {
  type BreakerEvent,
  type BreakerOptions,
  type BreakerState,
  breakerClosed,
  nextBreakerState,
} from "./breaker-rules.ts";
import { saysTelegramIsDown } from "./delivery-rules.ts";

export interface BreakerDeps {
  readonly api: BotApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  readonly holds: Holds;
}

/**
 * The cap is low because the end of an outage must be noticed within seconds, and a probe costs
 * nothing. `failuresMax` is below the attempts of a message, because on a quiet night a single
 * message makes all of them.
 */
const options: BreakerOptions = { failuresMax: 3, openInitialMs: 500, openMaxMs: 4_000 };
const probeDeadlineMs = 5_000;

export class Breaker implements BotApi {
  readonly #deps: BreakerDeps;
  readonly #loop: Loop;
  #state: BreakerState = breakerClosed;

  constructor(deps: BreakerDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(Number.POSITIVE_INFINITY)) await this.#probe(loop);
    });
    deps.holds.add({
      kind: "telegram-unreachable",
      targets: ["sending", "answering"],
      look: () => this.#hold(),
      release: () => this.signOfLife(),
    });
  }

  /** Whether Telegram can be called at present. */
  get reachable(): boolean {
    return this.#state.kind === "closed";
  }

  get state(): BreakerState["kind"] {
    return this.#state.kind;
  }

  /**
   * Passes the call on to the API; rejects with `BreakerOpenError` at once while the breaker is
   * open.
   */
  async call<T>(method: string, payload: JsonObject, callOptions?: CallOptions): Promise<T> {
    if (!this.reachable) {
      throw new BreakerOpenError(`${method}: not tried, Telegram cannot be reached at present`);
    }
    try {
      const result = await this.#deps.api.call<T>(method, payload, callOptions);
      this.#feed({ kind: "succeeded" });
      return result;
    } catch (error) {
      this.#judge(error);
      throw error;
    }
  }

  /** Reports that something else reached Telegram, so an open breaker probes at once. */
  signOfLife(): void {
    this.#feed({ kind: "sign-of-life" });
    if (!this.reachable) this.#loop.wake();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #hold(): HoldLook | undefined {
    if (this.#state.kind === "closed") return undefined;
    return { limit: 0, sinceMs: this.#state.openedAtMs, reason: "Telegram cannot be reached" };
  }

  #judge(error: unknown): void {
    if (!(error instanceof TelegramError)) return;
    if (error instanceof UnauthorizedError) this.#feed({ kind: "refused" }, error);
    else if (saysTelegramIsDown(error)) this.#feed({ kind: "failed" }, error);
    // A refusal is an answer: Telegram is there.
    else this.#feed({ kind: "succeeded" });
  }

  #feed(event: BreakerEvent, error?: TelegramError): void {
    const before = this.#state;
    const nowMs = this.#deps.clock.monotonicMs();
    this.#state = nextBreakerState(before, event, nowMs, options);
    if (before.kind === "closed" && this.#state.kind === "open") {
      this.#deps.publish({
        type: "breaker.opened",
        error: recordError(error, this.#deps.clock.epochMs()),
        retryInMs: this.#state.openMs,
      });
      this.#loop.start();
      this.#loop.wake();
    }
    if (before.kind === "half-open" && this.#state.kind === "closed") {
      this.#deps.publish({ type: "breaker.closed", afterMs: nowMs - before.openedAtMs });
    }
  }

  async #probe(loop: Loop): Promise<void> {
    const { api, clock, random } = this.#deps;
    while (!this.reachable && !loop.stopped) {
      if (this.#state.kind === "open") {
        // Jitter only shortens the wait: the state machine sets its latest end.
        const leftMs = this.#state.untilMs - clock.monotonicMs();
        if (!(await loop.wait(leftMs * (0.5 + random() / 2)))) return;
        if (this.#state.kind === "open") this.#state = { ...this.#state, untilMs: 0 };
        this.#feed({ kind: "ticked" });
      }
      try {
        await api.call("getMe", {}, { deadlineMs: probeDeadlineMs, signal: loop.signal });
        this.#feed({ kind: "probe-succeeded" });
      } catch {
        // Telegram is still down; the new state says how long the breaker stays open.
        this.#feed({ kind: "probe-failed" });
      }
    }
  }
}
