/**
 * Simulated Telegram: one bot's updates and sends, with the Bot API server's behaviour.
 *
 * It has no network: a request arrives and is answered, at once or later. Updates are kept until a later
 * `getUpdates` confirms them, a new long poll ends the one before it with 409, and a long poll is
 * answered as soon as there is an update. Source: tdlib/telegram-bot-api, Client.cpp.
 */
import type { JsonObject } from "../../bot/core/message.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface SimulatedAnswer {
  readonly status: number;
  readonly text: string;
}

export type Respond = (answer: SimulatedAnswer) => void;

export interface TelegramListener {
  /** Called when an update is confirmed and forgotten. */
  readonly confirmed: (updateId: number) => void;
  /** Called when a call that changes something took effect. */
  readonly executed: (method: string, payload: JsonObject) => void;
}

interface Poll {
  readonly limit: number;
  readonly respond: Respond;
  readonly callOff: () => void;
}

export const botUser = { id: 42, is_bot: true, first_name: "Bot", username: "SimulatedBot" };

export class SimulatedTelegram {
  readonly #time: VirtualTime;
  readonly #listener: TelegramListener;
  #pending: JsonObject[] = [];
  #poll: Poll | undefined;
  #messages = 0;
  /** Until when chats refuse messages; these waits outlive processes and bad weather. */
  readonly #limitedUntilMs = new Map<string, number>();

  constructor(time: VirtualTime, listener: TelegramListener) {
    this.#time = time;
    this.#listener = listener;
  }

  /** Number of unconfirmed updates. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Adds an update of a user. */
  offer(update: JsonObject): void {
    this.#pending.push(update);
    this.#endPoll((poll) => poll.respond(this.#batch(poll.limit)));
  }

  /** Refuses messages to this call's chat for `seconds`, unless it refuses them already. */
  limitChat(payload: JsonObject, seconds: number): void {
    if (payload["chat_id"] === undefined) return;
    const chat = String(payload["chat_id"]);
    const untilMs = this.#limitedUntilMs.get(chat) ?? 0;
    if (untilMs > this.#time.nowMs) return;
    this.#limitedUntilMs.set(chat, this.#time.nowMs + seconds * 1_000);
  }

  receive(method: string, payload: JsonObject, respond: Respond): void {
    switch (method.toLowerCase()) {
      case "getupdates":
        this.#getUpdates(payload, respond);
        return;
      case "getme":
        respond(success(botUser));
        return;
      default: {
        const untilMs = this.#limitedUntilMs.get(String(payload["chat_id"])) ?? 0;
        const leftMs = untilMs - this.#time.nowMs;
        if (leftMs > 0) {
          respond(tooManyRequests(Math.ceil(leftMs / 1_000)));
          return;
        }
        this.#listener.executed(method, payload);
        respond(success({ message_id: ++this.#messages }));
      }
    }
  }

  #getUpdates(payload: JsonObject, respond: Respond): void {
    const conflict = "Conflict: terminated by other getUpdates request; make sure that only one";
    this.#endPoll((poll) => poll.respond(failure(409, conflict)));
    const offset = Number(payload["offset"] ?? 0);
    const confirmed = this.#pending.filter((update) => idOf(update) < offset);
    this.#pending = this.#pending.filter((update) => idOf(update) >= offset);
    for (const update of confirmed) this.#listener.confirmed(idOf(update));
    const limit = Number(payload["limit"] ?? 100);
    const timeoutMs = Number(payload["timeout"] ?? 0) * 1_000;
    if (this.#pending.length > 0 || timeoutMs === 0) {
      respond(this.#batch(limit));
      return;
    }
    const empty = () => this.#endPoll((poll) => poll.respond(success([])));
    this.#poll = { limit, respond, callOff: this.#time.after(timeoutMs, empty) };
  }

  #endPoll(end: (poll: Poll) => void): void {
    const poll = this.#poll;
    if (!poll) return;
    this.#poll = undefined;
    poll.callOff();
    end(poll);
  }

  #batch(limit: number): SimulatedAnswer {
    return success(this.#pending.slice(0, limit));
  }
}

export function success(result: unknown): SimulatedAnswer {
  return { status: 200, text: JSON.stringify({ ok: true, result }) };
}

export function failure(status: number, description: string, parameters?: object): SimulatedAnswer {
  const body = { ok: false, error_code: status, description, ...(parameters && { parameters }) };
  return { status, text: JSON.stringify(body) };
}

export function tooManyRequests(seconds: number): SimulatedAnswer {
  const text = `Too Many Requests: retry after ${seconds}`;
  return failure(429, text, { retry_after: seconds });
}

export function idOf(update: JsonObject): number {
  return Number(update["update_id"]);
}
