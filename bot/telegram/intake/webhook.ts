/**
 * Webhook: the source of updates that Telegram brings as requests.
 *
 * A request is answered with 200 only after its update is on disk. While there is no room, or the disk
 * takes nothing, the answer is 503 with `Retry-After`: Telegram keeps the update and comes again. Owns
 * the listener; a look sets the webhook at Telegram, or asks whether it is still set and reached. It
 * stays set after a stop: Telegram keeps what it cannot deliver until the next start. TLS ends at a
 * proxy in front.
 */
import type { BotApi } from "../../core/bot-api.ts";
import { WebhookUnreachableError } from "../../core/errors.ts";
import type { Loop } from "../../core/loop.ts";
import type { Secret } from "../../core/secret.ts";
import type { Intake, IntakeSource } from "./intake.ts";
import { decidePollDelay } from "./intake-rules.ts";
import { allowedUpdates } from "./update-message.ts";
import { WebhookListener, type WebhookVerdict } from "./webhook-listener.ts";

export interface WebhookOptions {
  /** Where Telegram reaches the listener. */
  readonly url: string;
  /** What Telegram sends along, so that no other requests are taken. */
  readonly secret: Secret;
  /** Where the listener listens. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
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
/** Seconds after which Telegram is to come again; it doubles nothing. Source: telegram-bot-api.md 3.3. */
const retryAfterSeconds = 5;

export class Webhook implements IntakeSource {
  readonly state = "listening";
  readonly #options: WebhookOptions;
  #listener: WebhookListener | undefined;
  #listeningSinceEpochMs = 0;
  #set = false;

  constructor(options: WebhookOptions) {
    this.#options = options;
  }

  /** Resolves when it listens. Rejects with `WebhookListenError`. */
  async start(intake: Intake): Promise<void> {
    const { clock, publish } = intake.deps;
    this.#listener ??= new WebhookListener({
      ...this.#options,
      clock,
      connectionsMax: 2 * connectionsMax,
      take: (value) => take(value, intake),
      onRefused: () => publish({ type: "webhook.refused" }),
    });
    await this.#listener.start();
    this.#listeningSinceEpochMs = clock.epochMs();
  }

  async stop(): Promise<void> {
    await this.#listener?.stop();
  }

  async look(intake: Intake, loop: Loop): Promise<number> {
    const { publish, random } = intake.deps;
    const { secret, url } = this.#options;
    const ask = <T>(method: string, payload: Parameters<BotApi["call"]>[1]) => {
      const options = { signal: loop.signal, deadlineMs: callDeadlineMs };
      return intake.deps.api.call<T>(method, payload, options);
    };
    loop.expect(2 * callDeadlineMs);
    if (!this.#set) {
      await ask("setWebhook", {
        url,
        secret_token: secret.reveal(),
        allowed_updates: allowedUpdates,
        max_connections: connectionsMax,
      });
      publish({ type: "webhook.set" });
    }
    const info = await ask<WebhookInfo>("getWebhookInfo", {});
    // Another program may have set another one, or Telegram gave ours up.
    this.#set = info.url === url;
    if (!this.#set) return decidePollDelay(undefined, 1, random);
    this.#judge(info, intake);
    intake.heard();
    return checkEveryMs;
  }

  /** Throws when Telegram answers, but says that it does not reach us. */
  #judge(info: WebhookInfo, { deps, heldBack }: Intake): void {
    const erredAtEpochMs = (info.last_error_date ?? 0) * 1_000;
    // What failed before this listener was there says nothing about now.
    const news = Math.max(this.#listeningSinceEpochMs, deps.clock.epochMs() - errorNewsMs);
    if ((info.pending_update_count ?? 0) > 0 && erredAtEpochMs > news && !heldBack) {
      throw new WebhookUnreachableError(info.last_error_message ?? "no reason was given");
    }
  }
}

async function take(value: unknown, intake: Intake): Promise<WebhookVerdict> {
  try {
    if ((await intake.recentRoom()) === 0) return { retryAfterSeconds };
    await intake.take([value]);
  } catch (error) {
    intake.failed(error, retryAfterSeconds * 1_000);
    return { retryAfterSeconds };
  }
  intake.heard();
  return "taken";
}
