/**
 * Webhook: takes updates as requests from Telegram, and never loses one.
 *
 * A request is answered with 200 only after its update is on disk. While there is no room, or the disk
 * takes nothing, the answer is 503 with `Retry-After`: Telegram keeps the update and comes again.
 * Owns the listener, and a loop that sets the webhook at Telegram and keeps looking whether it is still
 * set and reached. TLS ends at a proxy in front. It never ends the process.
 */
import type { BotApi } from "../../core/bot-api.ts";
import { type Clock, type Random, waitOver } from "../../core/clock.ts";
import { WebhookUnreachableError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import { type Heartbeat, Pulse } from "../../core/heartbeat.ts";
import type { UpdateSource, UpdateSourceSnapshot } from "../../core/intake.ts";
import type { Secret } from "../../core/secret.ts";
import { type AcceptUpdates, commitUpdates } from "./accepted-updates.ts";
import { IntakeCondition } from "./intake-condition.ts";
import { decidePollDelay } from "./intake-rules.ts";
import { allowedUpdates } from "./update-message.ts";
import { type Verdict, WebhookListener } from "./webhook-listener.ts";

export interface WebhookDeps {
  readonly api: BotApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  readonly botId: string;
  /** Where Telegram reaches the listener. */
  readonly url: string;
  /** What Telegram sends along, so that nobody else's requests are taken. */
  readonly secret: Secret;
  /** Where the listener listens. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Commits updates; resolves when they are on disk. */
  readonly accept: AcceptUpdates;
  /** Updates for which there is room. */
  readonly room: () => Promise<number>;
  /** While true nothing is taken, on purpose. Default: never. */
  readonly held?: () => boolean;
  /** Called whenever Telegram has shown that it is there. */
  readonly onPoll: () => void;
}

/** What matters of Telegram's `WebhookInfo`. Source: Bot API, getWebhookInfo. */
interface WebhookInfo {
  readonly url?: string;
  readonly pending_update_count?: number;
  readonly last_error_date?: number;
  readonly last_error_message?: string;
}

/** Requests of Telegram under way at a time; its own default. Source: Bot API, setWebhook. */
const connectionsMax = 40;
const checkEveryMs = 15_000;
const callDeadlineMs = 10_000;
/** An error of Telegram's deliveries is news for as long: two looks and the slowest first retries. */
const errorNewsMs = 60_000;
/** Milliseconds for which the look at the queue's length is trusted. */
const roomTrustedMs = 250;
/** Seconds after which Telegram is to come again; it doubles nothing. Source: telegram-bot-api.md 3.3. */
const retryAfterSeconds = 5;

export class Webhook implements UpdateSource {
  readonly name = "webhook";
  readonly #deps: WebhookDeps;
  readonly #listener: WebhookListener;
  readonly #stopping = new AbortController();
  readonly #pulse: Pulse;
  readonly #condition: IntakeCondition;
  #nudge = new AbortController();
  #loop: Promise<void> | undefined;
  #listeningSinceEpochMs = 0;
  #room = { checkedAtMs: Number.NEGATIVE_INFINITY, free: 0 };

  constructor(deps: WebhookDeps) {
    this.#deps = deps;
    this.#pulse = new Pulse(deps.clock);
    this.#condition = new IntakeCondition(deps);
    this.#listener = new WebhookListener({
      ...deps,
      connectionsMax: 2 * connectionsMax,
      take: (value) => this.#take(value),
      onRefused: () => deps.publish({ type: "webhook.refused" }),
    });
  }

  /** Resolves when it listens. Rejects with `WebhookListenError`. */
  async start(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    await this.#listener.start();
    this.#listeningSinceEpochMs = this.#deps.clock.epochMs();
    this.#loop ??= this.#run(this.#stopping.signal);
  }

  /** The webhook stays set: Telegram keeps what it cannot deliver until the next start. */
  async drain(): Promise<readonly string[]> {
    await this.stop();
    return [];
  }

  async stop(): Promise<void> {
    this.#stopping.abort(waitOver);
    await this.#listener.stop();
    await this.#loop;
    this.#condition.enter("stopped");
  }

  /** Looks at Telegram now. */
  nudge(): void {
    this.#nudge.abort(waitOver);
  }

  /** A beat a look. */
  heartbeat(): Heartbeat {
    return this.#pulse.heartbeat;
  }

  snapshot(): UpdateSourceSnapshot {
    return this.#condition.snapshot();
  }

  // ---- what Telegram brings -----------------------------------------------------------------------

  async #take(value: unknown): Promise<Verdict> {
    try {
      if (!(await this.#hasRoom())) return { retryAfterSeconds };
      await commitUpdates([value], this.#deps);
    } catch (error) {
      this.#condition.failed(error, retryAfterSeconds * 1_000);
      return { retryAfterSeconds };
    }
    this.#succeeded();
    return "taken";
  }

  async #hasRoom(): Promise<boolean> {
    const { clock, held, room } = this.#deps;
    if (held?.()) return false;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#room.checkedAtMs >= roomTrustedMs) {
      this.#room = { checkedAtMs: nowMs, free: await room() };
    }
    return this.#condition.hasRoom(this.#room.free);
  }

  // ---- what Telegram knows ------------------------------------------------------------------------

  async #run(signal: AbortSignal): Promise<void> {
    let set = false;
    while (!signal.aborted) {
      this.#nudge = new AbortController();
      this.#pulse.expect(2 * callDeadlineMs);
      let waitMs = checkEveryMs;
      try {
        if (!set) await this.#set(signal);
        const info = await this.#ask<WebhookInfo>("getWebhookInfo", {}, signal);
        // Somebody else set another one, or Telegram gave ours up.
        set = info.url === this.#deps.url;
        if (set) this.#judge(info);
        else waitMs = decidePollDelay(undefined, 1, this.#deps.random);
      } catch (error) {
        waitMs = decidePollDelay(error, this.#condition.failures + 1, this.#deps.random);
        if (!signal.aborted) this.#condition.failed(error, waitMs);
      }
      this.#pulse.beat(waitMs);
      await this.#deps.clock.sleep(waitMs, AbortSignal.any([signal, this.#nudge.signal]));
    }
    this.#pulse.expect(Number.POSITIVE_INFINITY);
  }

  async #set(signal: AbortSignal): Promise<void> {
    const { publish, secret, url } = this.#deps;
    const payload = {
      url,
      secret_token: secret.reveal(),
      allowed_updates: allowedUpdates,
      max_connections: connectionsMax,
    };
    await this.#ask("setWebhook", payload, signal);
    publish({ type: "webhook.set" });
  }

  #ask<T>(method: string, payload: Parameters<BotApi["call"]>[1], signal: AbortSignal) {
    return this.#deps.api.call<T>(method, payload, { signal, deadlineMs: callDeadlineMs });
  }

  /** Telegram answers, and perhaps it says that it does not reach us. */
  #judge(info: WebhookInfo): void {
    const erredAtEpochMs = (info.last_error_date ?? 0) * 1_000;
    const { clock } = this.#deps;
    // What failed while nobody listened says nothing about now.
    const news = Math.max(this.#listeningSinceEpochMs, clock.epochMs() - errorNewsMs);
    if (
      (info.pending_update_count ?? 0) > 0 &&
      erredAtEpochMs > news &&
      !this.#condition.heldBack
    ) {
      throw new WebhookUnreachableError(info.last_error_message ?? "no reason was given");
    }
    this.#succeeded();
  }

  #succeeded(): void {
    this.#condition.succeeded("listening");
    this.#deps.onPoll();
  }
}
