/**
 * Fresh payloads: what was queued a moment ago, so that most messages need not be opened at all.
 *
 * Opening costs as much as the rest of a claim (measured). Each is given out once; the next claim of the
 * same message reads the table. Ids are never used twice, so what a rolled-back transaction leaves here
 * is only pushed out.
 */

/** Together at most 4 MB. */
const payloadsMax = 1_000;
const lengthMax = 4_096;

export class FreshPayloads {
  readonly #texts = new Map<number, string>();

  put(messageId: number, text: string): void {
    if (text.length > lengthMax) return;
    this.#texts.set(messageId, text);
    if (this.#texts.size <= payloadsMax) return;
    const [oldest] = this.#texts.keys();
    this.#texts.delete(oldest as number);
  }

  take(messageId: number): string | undefined {
    const text = this.#texts.get(messageId);
    this.#texts.delete(messageId);
    return text;
  }
}
