/**
 * Open queries: callback, inline and pre-checkout queries without an answer yet.
 *
 * Answered, old and unknown queries get the same error, as at Telegram.
 */
import { badRequest } from "../http/answer.ts";

export interface OpenQuery {
  readonly kind:
    | "callback_query"
    | "inline_query"
    | "pre_checkout_query"
    | "shipping_query"
    | "chat_join_request"
    | "guest_message"
    | "web_app";
  readonly userId: number;
  readonly chatId: number | null;
}

interface Entry extends OpenQuery {
  readonly expiresAtMs: number;
}

const queriesMax = 100_000;

export class OpenQueries {
  readonly #nowMs: () => number;
  readonly #queries = new Map<string, Entry>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  open(id: string, query: OpenQuery, lifetimeMs: number): void {
    this.#queries.set(id, { ...query, expiresAtMs: this.#nowMs() + lifetimeMs });
    if (this.#queries.size <= queriesMax) return;
    const oldest = this.#queries.keys().next();
    if (!oldest.done) this.#queries.delete(oldest.value);
  }

  /** Closes the query. Throws when it is not open. */
  answer(id: string, kind: OpenQuery["kind"]): OpenQuery {
    const query = this.peek(id, kind);
    this.#queries.delete(id);
    return query;
  }

  /** The query, which stays open. Throws when it is not. */
  peek(id: string, kind: OpenQuery["kind"]): OpenQuery {
    const query = this.#queries.get(id);
    if (!query || query.kind !== kind || query.expiresAtMs <= this.#nowMs()) {
      throw badRequest("query is too old and response timeout expired or query ID is invalid");
    }
    return query;
  }

  expireAll(): number {
    const expired = this.#queries.size;
    this.#queries.clear();
    return expired;
  }
}
