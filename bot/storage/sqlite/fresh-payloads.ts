/**
 * Fresh payloads: remembers payloads just queued, so that most messages need not be decrypted.
 *
 * Decryption costs as much as the rest of a claim (measured). Each payload is given out once; the
 * next claim of the message reads the table. Ids are never used twice, so payloads from a
 * rolled-back transaction are merely pushed out later.
 */

/** All payloads together take at most 4 MB. */
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
