/**
 * Webhook: an update source to which Telegram posts updates.
 *
 * A request is answered with 200 only after its update is on disk. While there is no room or the
 * disk cannot be written, the answer is 503 with `Retry-After`, so Telegram keeps the update and
 * repeats the request. Owns the listener. A look sets the webhook at Telegram, or asks whether it
 * is still set and reached. The webhook stays set after a stop, so Telegram keeps the updates until
 * the next start. A proxy in front terminates TLS.
 */
import type { RequestListener } from "node:http";
import type { BotApi } from "../../core/bot-api.ts";
import { WebhookUnreachableError } from "../../core/errors.ts";
import type { Loop } from "../../core/loop.ts";
import type { Secret } from "../../core/secret.ts";
import { readWebhookInfo } from "../client/answer-fields.ts";
import type { Intake, IntakeSource } from "./intake.ts";
import { decidePollDelay } from "./intake-rules.ts";
import { allowedUpdates } from "./update-message.ts";
import { WebhookListener, type WebhookVerdict } from "./webhook-listener.ts";

export interface WebhookOptions {
  /** Kinds of updates to ask for. Default: those that are always requested. */
  readonly allowedUpdates?: readonly string[];
  /** The address at which Telegram reaches the listener. */
  readonly url: string;
  /** Sent by Telegram with each request, so that no other requests are accepted. */
  readonly secret: Secret;
  /** The address the listener binds to. */
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  /** Answers what is asked under the path of the Mini App. Default: there is none. */
  readonly miniApp?: RequestListener;
}

/** Telegram's maximum of concurrent requests; its own default. Source: Bot API, setWebhook. */
const connectionsMax = 40;
const checkEveryMs = 15_000;
const callDeadlineMs = 10_000;
/**
 * Milliseconds for which a delivery error counts: two looks plus Telegram's slowest first retries.
 */
const errorNewsMs = 60_000;
/** The `Retry-After` for Telegram, in seconds; Telegram follows it without doubling it. */
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

  /** Resolves when the listener listens. Rejects with `WebhookListenError`. */
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
        allowed_updates: this.#options.allowedUpdates ?? allowedUpdates,
        max_connections: connectionsMax,
      });
      publish({ type: "webhook.set" });
    }
    const info = readWebhookInfo(await ask("getWebhookInfo", {}));
    // Another program may have set its own webhook, or Telegram has dropped ours.
    this.#set = info.url === url;
    if (!this.#set) return decidePollDelay(undefined, 1, random);
    this.#judge(info, intake);
    intake.heard();
    return checkEveryMs;
  }

  /** Throws when Telegram answers but reports that it cannot reach the listener. */
  #judge(info: ReturnType<typeof readWebhookInfo>, { deps, heldBack }: Intake): void {
    const erredAtEpochMs = info.last_error_date * 1_000;
    // Failures from before this listener started say nothing about the present.
    const news = Math.max(this.#listeningSinceEpochMs, deps.clock.epochMs() - errorNewsMs);
    if (info.pending_update_count > 0 && erredAtEpochMs > news && !heldBack) {
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
