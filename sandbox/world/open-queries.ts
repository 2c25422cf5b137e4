/**
 * Open queries: callback, inline and pre-checkout queries without an answer yet.
 *
 * Answered, old and unknown queries get the same error, as at Telegram.
 */
import { badRequest } from "../http/answer.ts";
import { LatestMap } from "./latest-map.ts";

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
  /** By kind and id. */
  readonly #queries = new LatestMap<string, Entry>(queriesMax);

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  open(id: string, query: OpenQuery, lifetimeMs: number): void {
    this.#queries.set(`${query.kind}:${id}`, { ...query, expiresAtMs: this.#nowMs() + lifetimeMs });
  }

  /** Closes the query. Throws when it is not open. */
  answer(id: string, kind: OpenQuery["kind"]): OpenQuery {
    const query = this.peek(id, kind);
    this.#queries.delete(`${kind}:${id}`);
    return query;
  }

  /** The query, which stays open. Throws when it is not. */
  peek(id: string, kind: OpenQuery["kind"]): OpenQuery {
    const query = this.#queries.get(`${kind}:${id}`);
    if (!query || query.expiresAtMs <= this.#nowMs()) {
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
