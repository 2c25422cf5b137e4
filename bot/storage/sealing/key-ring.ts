/**
 * Key ring: the data keys of one store, the newest of which seals.
 *
 * Older ones only open what was sealed before, until nothing of theirs is left.
 */
import { createHmac, hkdfSync } from "node:crypto";
import { brokenSeal, keyIdOf, keyLength, SealingKey } from "./sealing-key.ts";

interface RingKey {
  readonly sealing: SealingKey;
  readonly bytes: Buffer;
}

/** Bytes of a blind index: too many for chance, too few to be worth anything elsewhere. */
const indexLength = 16;

export class KeyRing {
  readonly #keys = new Map<number, RingKey>();
  #current: SealingKey | undefined;

  /** @param id Higher than that of every key before it. */
  add(id: number, bytes: Buffer): void {
    const sealing = new SealingKey(id, bytes);
    this.#keys.set(id, { sealing, bytes });
    this.#current = sealing;
  }

  /** The key that seals. */
  get currentId(): number {
    return this.#sealing().id;
  }

  /** Whether older keys are still needed. */
  get rotating(): boolean {
    return this.#keys.size > 1;
  }

  seal(text: string, place: string): Buffer {
    return this.#sealing().seal(text, place);
  }

  /** @throws {StorageCorruptError} when it does not fit, or its key is not on the ring. */
  open(sealed: unknown, place: string): string {
    const id = keyIdOf(sealed);
    const key = id === undefined ? undefined : this.#keys.get(id);
    if (!key) throw brokenSeal(place, id === undefined ? "not sealed" : `no key ${id}`);
    return key.sealing.open(sealed as Uint8Array, place);
  }

  /** The same under the key that seals; what is under it already comes back as it is. */
  renew(sealed: Uint8Array, place: string): Uint8Array {
    if (keyIdOf(sealed) === this.currentId) return sealed;
    return this.seal(this.open(sealed, place), place);
  }

  /**
   * Blind indexes of a text: for equality only, of one column, under each key on the ring; the first is
   * the newest key's, for storing.
   */
  indexes(text: string, column: string): readonly Buffer[] {
    return [...this.#keys.values()].toReversed().map(({ bytes }) => {
      const key = hkdfSync("sha256", bytes, "", `blind index ${column}`, keyLength);
      return createHmac("sha256", Buffer.from(key)).update(text).digest().subarray(0, indexLength);
    });
  }

  /** Forgets the keys before this one. */
  dropBefore(id: number): void {
    for (const old of this.#keys.keys()) if (old < id) this.#keys.delete(old);
  }

  #sealing(): SealingKey {
    if (this.#current) return this.#current;
    throw new Error("a key ring without keys cannot seal");
  }
}
