/**
 * Key ring: holds the data keys of one store, of which one seals.
 *
 * The others only open: older ones what they sealed, until nothing sealed with them is left, and a newer
 * one what other processes seal with it already.
 */
import { createHmac, hkdfSync } from "node:crypto";
import { brokenSeal, keyIdOf, keyLength, SealingKey } from "./sealing-key.ts";

interface RingKey {
  readonly sealing: SealingKey;
  readonly bytes: Buffer;
}

/** Bytes of a blind index: enough against chance collisions, too few to be useful elsewhere. */
const indexLength = 16;

export class KeyRing {
  readonly #keys = new Map<number, RingKey>();
  #current: SealingKey | undefined;

  /** Adds a key that seals from now on. @param id Must be higher than the id of every earlier key. */
  add(id: number, bytes: Buffer): void {
    this.keep(id, bytes);
    this.use(id);
  }

  /** Adds a key that only opens, until it is used. It takes the place of one with the same id. */
  keep(id: number, bytes: Buffer): void {
    this.#keys.set(id, { sealing: new SealingKey(id, bytes), bytes });
  }

  /** Seals with this key from now on, which must be on the ring. */
  use(id: number): void {
    this.#current = this.#keys.get(id)?.sealing;
  }

  /** The id of the key that seals. */
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

  /** @throws {StorageCorruptError} when the seal does not fit or its key is not on the ring. */
  open(sealed: unknown, place: string): string {
    const id = keyIdOf(sealed);
    const key = id === undefined ? undefined : this.#keys.get(id);
    if (!key) throw brokenSeal(place, id === undefined ? "not sealed" : `no key ${id}`);
    return key.sealing.open(sealed as Uint8Array, place);
  }

  /** Seals a value again with the key that seals now; returns it unchanged when that key sealed it. */
  renew(sealed: Uint8Array, place: string): Uint8Array {
    if (keyIdOf(sealed) === this.currentId) return sealed;
    return this.seal(this.open(sealed, place), place);
  }

  /**
   * Blind indexes of a text in one column, for equality only, one per key on the ring. The first
   * belongs to the key that seals and is the one to store.
   */
  indexes(text: string, column: string): readonly Buffer[] {
    const keys = [...this.#keys.values()].toReversed();
    const current = keys.filter(({ sealing }) => sealing === this.#current);
    const others = keys.filter(({ sealing }) => sealing !== this.#current);
    return [...current, ...others].map(({ bytes }) => {
      const key = hkdfSync("sha256", bytes, "", `blind index ${column}`, keyLength);
      return createHmac("sha256", Buffer.from(key)).update(text).digest().subarray(0, indexLength);
    });
  }

  /** Forgets the keys older than this one. */
  dropBefore(id: number): void {
    for (const old of this.#keys.keys()) if (old < id) this.#keys.delete(old);
  }

  #sealing(): SealingKey {
    if (this.#current) return this.#current;
    throw new Error("a key ring without keys cannot seal");
  }
}
