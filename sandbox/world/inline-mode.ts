/**
 * Inline mode: the answers to inline queries, and the messages made from chosen results.
 *
 * Only the latest ones are kept.
 */
import { LatestMap } from "./latest-map.ts";

export type InlineResult = Readonly<Record<string, unknown>>;

/** Telegram's `InlineQueryResultsButton`. */
export interface InlineResultsButton {
  readonly text: string;
  readonly start_parameter?: string;
  readonly web_app?: { readonly url: string };
}

/** Where a message with an inline id stands. */
export interface InlinePlace {
  readonly chatId: number;
  readonly messageId: number;
}

const rememberedMax = 10_000;

export class InlineMode {
  readonly #answers = new LatestMap<string, readonly InlineResult[]>(rememberedMax);
  readonly #buttons = new LatestMap<string, InlineResultsButton>(rememberedMax);
  readonly #queries = new LatestMap<string, string>(rememberedMax);
  readonly #messages = new LatestMap<string, InlinePlace>(rememberedMax);
  readonly #ids = new LatestMap<string, string>(rememberedMax);

  ask(queryId: string, text: string): void {
    this.#queries.set(queryId, text);
  }

  queryText(queryId: string): string {
    return this.#queries.get(queryId) ?? "";
  }

  answer(queryId: string, results: readonly InlineResult[], button?: InlineResultsButton): void {
    this.#answers.set(queryId, results);
    if (button) this.#buttons.set(queryId, button);
  }

  button(queryId: string): InlineResultsButton | undefined {
    return this.#buttons.get(queryId);
  }

  /** Undefined while the bot has not answered. */
  results(queryId: string): readonly InlineResult[] | undefined {
    return this.#answers.get(queryId);
  }

  put(inlineMessageId: string, place: InlinePlace): void {
    this.#messages.set(inlineMessageId, place);
    this.#ids.set(`${place.chatId}:${place.messageId}`, inlineMessageId);
  }

  /** The inline id of a message; undefined when it was not made in inline mode. */
  idAt({ chatId, messageId }: InlinePlace): string | undefined {
    return this.#ids.get(`${chatId}:${messageId}`);
  }

  place(inlineMessageId: string): InlinePlace | undefined {
    return this.#messages.get(inlineMessageId);
  }
}
