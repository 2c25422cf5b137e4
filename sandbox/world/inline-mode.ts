/**
 * Inline mode: the answers to inline queries, and the messages made from chosen results.
 *
 * Only the latest ones are kept.
 */
import { LatestMap } from "./latest-map.ts";

export type InlineResult = Readonly<Record<string, unknown>>;

/** Where a message with an inline id stands. */
export interface InlinePlace {
  readonly chatId: number;
  readonly messageId: number;
}

const rememberedMax = 10_000;

export class InlineMode {
  readonly #answers = new LatestMap<string, readonly InlineResult[]>(rememberedMax);
  readonly #queries = new LatestMap<string, string>(rememberedMax);
  readonly #messages = new LatestMap<string, InlinePlace>(rememberedMax);

  ask(queryId: string, text: string): void {
    this.#queries.set(queryId, text);
  }

  queryText(queryId: string): string {
    return this.#queries.get(queryId) ?? "";
  }

  answer(queryId: string, results: readonly InlineResult[]): void {
    this.#answers.set(queryId, results);
  }

  /** Undefined while the bot has not answered. */
  results(queryId: string): readonly InlineResult[] | undefined {
    return this.#answers.get(queryId);
  }

  put(inlineMessageId: string, place: InlinePlace): void {
    this.#messages.set(inlineMessageId, place);
  }

  place(inlineMessageId: string): InlinePlace | undefined {
    return this.#messages.get(inlineMessageId);
  }
}
