/**
 * Mini App requests: answers what the page asks, and queues what it acts.
 *
 * An act is a message in the lane of the person's chat. Its id is its key, so it is queued once, however often
 * the page sends it; its answer is read from the store, so a process that takes over after a death gives the
 * same one.
 */
import type { Clock } from "../../core/clock.ts";
import { type Json, type JsonObject, laneOfChat, type NewMessage } from "../../core/message.ts";
import type { EnqueueResult, Store } from "../../core/store.ts";
import { answerOf, type MiniAppHandlers, type MiniAppTask } from "../../kit/mini-app.ts";

export interface MiniAppRequestsDeps {
  readonly clock: Clock;
  readonly store: Pick<Store, "read" | "transaction">;
  readonly handlers: Pick<MiniAppHandlers, "acts" | "asks">;
  /** Commits messages in one transaction; resolves when they are on disk. */
  readonly accept: (messages: readonly NewMessage[]) => Promise<readonly EnqueueResult[]>;
  /** How many messages may be taken in now; 0 while updates are held back. */
  readonly room: () => Promise<number>;
}

/** The state of an act. */
export type ActState =
  | { readonly state: "answered"; readonly answer: Json }
  /** It waits, or is being worked on. */
  | { readonly state: "waiting" }
  /** It was done, and no handler has answered it. */
  | { readonly state: "refused" }
  /** It was given up, and kept as a dead letter. */
  | { readonly state: "failed" }
  /** It never arrived, or it is so old that it was forgotten. */
  | { readonly state: "unknown" }
  /** It was not taken: the queue is full, or updates are held back. */
  | { readonly state: "busy" };

export type Person = MiniAppTask["from"];

/** Milliseconds for which a request waits for its answer; the page asks again after it. */
const waitMsMax = 8_000;
const firstLookMs = 20;
const lookMsMax = 400;

export class MiniAppRequests {
  readonly #deps: MiniAppRequestsDeps;

  constructor(deps: MiniAppRequestsDeps) {
    this.#deps = deps;
  }

  /** Whether the module answers a question of this name. */
  asks(name: string): boolean {
    return this.#deps.handlers.asks.has(name);
  }

  /** Whether the module handles an act of this name. */
  acts(name: string): boolean {
    return this.#deps.handlers.acts.has(name);
  }

  async ask(from: Person, name: string, data: Json): Promise<unknown> {
    const { handlers, store } = this.#deps;
    return handlers.asks.get(name)?.(from, data, (work) => store.transaction(work));
  }

  /**
   * Queues an act unless it was before, and waits a few seconds for its answer. Rejects as `accept` does.
   *
   * @param signal Aborts when nobody waits for the answer any more.
   */
  async act(
    from: Person,
    name: string,
    requestId: string,
    data: Json,
    signal: AbortSignal,
  ): Promise<ActState> {
    const before = await this.stateOf(from, requestId);
    if (before.state === "unknown") {
      if ((await this.#deps.room()) <= 0) return { state: "busy" };
      await this.#deps.accept([toActMessage({ name, requestId, data, from })]);
    }
    return this.#settled(from, requestId, signal);
  }

  stateOf({ id }: Person, requestId: string): Promise<ActState> {
    return this.#deps.store.read(async (tx): Promise<ActState> => {
      const found = await answerOf(tx, id, requestId);
      if (found) return { state: "answered", answer: found.answer };
      const { kind } = await tx.messages.find(keyOf(id, requestId));
      switch (kind) {
        case "waiting":
        case "in-hand":
          return { state: "waiting" };
        case "done":
          return { state: "refused" };
        case "dead":
          return { state: "failed" };
        case "unknown":
          return { state: "unknown" };
      }
    });
  }

  async #settled(from: Person, requestId: string, signal: AbortSignal): Promise<ActState> {
    const { clock } = this.#deps;
    const endMs = clock.monotonicMs() + waitMsMax;
    for (let lookMs = firstLookMs; ; lookMs = Math.min(2 * lookMs, lookMsMax)) {
      const found = await this.stateOf(from, requestId);
      if (found.state !== "waiting") return found;
      if (signal.aborted || clock.monotonicMs() >= endMs) return found;
      await clock.sleep(lookMs, signal);
    }
  }
}

/** A person's private chat with the bot has their own id. Source: Bot API, Chat. */
function chatOf({ first_name, id, last_name, username }: Person) {
  return {
    id,
    type: "private" as const,
    first_name,
    ...(last_name !== undefined && { last_name }),
    ...(username !== undefined && { username }),
  };
}

/** The message that has an act done once, in the lane of the person's chat. */
export function toActMessage(act: Omit<MiniAppTask, "chat">): NewMessage {
  const { from, requestId } = act;
  const task: MiniAppTask = { ...act, chat: chatOf(from) };
  return {
    type: "task",
    pool: "handling",
    lane: laneOfChat(from.id),
    // A person looks at a spinner until it is answered.
    priority: "high",
    payload: { mini_app_request: task as unknown as JsonObject },
    key: { name: keyOf(from.id, requestId), again: "refuse" },
  };
}

function keyOf(userId: number, requestId: string): string {
  return `mini-app:${userId}:${requestId}`;
}
