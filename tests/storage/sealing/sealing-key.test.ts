import { randomBytes, webcrypto } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyRing } from "../../../bot/storage/sealing/key-ring.ts";
import { keyIdOf, SealingKey } from "../../../bot/storage/sealing/sealing-key.ts";

const place = "messages|payload|7";
const bytes = randomBytes(32);
const key = new SealingKey(3, bytes);

test("any text comes back unchanged, and no two of its seals are alike", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 5_000 }), fc.string(), (text, where) => {
      const text_ = text.toWellFormed();
      const sealed = key.seal(text_, where);
      expect(key.open(sealed, where)).toBe(text_);
      expect(key.seal(text_, where).equals(sealed)).toBe(false);
    }),
  );
});

test("it is plain AES-256-GCM with a 16-byte tag, as another implementation reads it", async () => {
  const sealed = key.seal("Guten Tag, 小明", place);
  expect(sealed[0]).toBe(1);
  expect(keyIdOf(sealed)).toBe(3);
  const theirs = await webcrypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["decrypt"]);
  const opened = await webcrypto.subtle.decrypt(
    { name: "AES-GCM", iv: sealed.subarray(5, 17), additionalData: Buffer.from(place) },
    theirs,
    Buffer.concat([sealed.subarray(33), sealed.subarray(17, 33)]),
  );
  expect(Buffer.from(opened).toString()).toBe("Guten Tag, 小明");
});

test("a value that was changed, cut or moved does not open", () => {
  const sealed = key.seal("the text", place);
  const refused = (bad: Uint8Array, where = place, by = key) =>
    expect(() => by.open(bad, where)).toThrow(expect.objectContaining({ code: "STORAGE_CORRUPT" }));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    // The key's id only says which key to try; a wrong id names another key.
    if (bit >= 8 && bit < 40) continue;
    const changed = Buffer.from(sealed);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    refused(changed);
  }
  for (let length = 0; length < sealed.length; length++) refused(sealed.subarray(0, length));
  refused(sealed, "messages|payload|8");
  refused(sealed, "steps|payload|7");
  refused(sealed, place, new SealingKey(3, randomBytes(32)));
});

test("the error of a refused value says nothing about the text", () => {
  const sealed = key.seal("a secret of Ann's", place);
  sealed[40] = (sealed[40] ?? 0) ^ 1;
  try {
    key.open(sealed, place);
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toMatch(/secret|Ann/);
    expect(String(error)).toContain(place);
  }
});

test("a ring seals with its newest key and opens with any of its keys", () => {
  const ring = new KeyRing();
  ring.add(1, randomBytes(32));
  const old = ring.seal("text", place);
  ring.add(2, randomBytes(32));
  expect(ring.open(old, place)).toBe("text");
  const renewed = ring.renew(old, place);
  expect(keyIdOf(renewed)).toBe(2);
  expect(ring.renew(renewed, place)).toBe(renewed);
  ring.dropBefore(2);
  expect(ring.rotating).toBe(false);
  expect(ring.open(renewed, place)).toBe("text");
  for (const bad of [old, "text", null, new Uint8Array(40)]) {
    expect(() => ring.open(bad, place)).toThrow(
      expect.objectContaining({ code: "STORAGE_CORRUPT" }),
    );
  }
});

test("a ring opens with a key that is not in use yet, and neither seals nor stores an index with it", () => {
  const [ring, ahead] = [new KeyRing(), new KeyRing()];
  const [first, second] = [randomBytes(32), randomBytes(32)];
  for (const each of [ring, ahead]) each.add(1, first);
  ring.keep(2, second);
  ahead.add(2, second);
  expect(keyIdOf(ring.seal("text", place))).toBe(1);
  expect(ring.open(ahead.seal("text", place), place)).toBe("text");
  expect(ring.indexes("ann", "c")).toEqual(ahead.indexes("ann", "c").toReversed());
  ring.use(2);
  expect(keyIdOf(ring.seal("text", place))).toBe(2);
  expect(ring.indexes("ann", "c")).toEqual(ahead.indexes("ann", "c"));
});

test("blind indexes are equal only for equal texts of one column and key", () => {
  const ring = new KeyRing();
  ring.add(1, randomBytes(32));
  const [index] = ring.indexes("ann", "accounts|username_index");
  expect(ring.indexes("ann", "accounts|username_index")).toEqual([index]);
  expect(index).toHaveLength(16);
  expect(ring.indexes("anna", "accounts|username_index")).not.toContainEqual(index);
  expect(ring.indexes("ann", "another")).not.toContainEqual(index);
  ring.add(2, randomBytes(32));
  const [newest, older] = ring.indexes("ann", "accounts|username_index");
  expect(older).toEqual(index);
  expect(newest).not.toEqual(index);
});
