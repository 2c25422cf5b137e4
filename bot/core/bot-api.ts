/** Bot API: Telegram's HTTP interface, as the rest of the bot sees it. */
import type { EndSignal } from "./ending.ts";
import type { JsonObject } from "./message.ts";

/** The rule of the whole bot: what begins with `get` asks, everything else changes something. */
export function isQueryMethod(method: string): boolean {
  return method.toLowerCase().startsWith("get");
}

/** How one call is to be made. */
export interface CallOptions {
  /** Aborts the call; the rejection is then `CallUnknownError` or `CallNotSentError`. */
  readonly signal?: EndSignal;
  /** Milliseconds until the call is given up. Default: the client's. */
  readonly deadlineMs?: number;
}

/** Calls one Bot API method once. Rejects with a `TelegramError`, never with anything else. */
export interface BotApi {
  call<T = unknown>(method: string, payload: JsonObject, options?: CallOptions): Promise<T>;
}
