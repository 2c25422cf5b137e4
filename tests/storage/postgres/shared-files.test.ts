/** Shared files: what one process stores, another one uploads. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../bot/core/clock.ts";
import type { StoredFile } from "../../../bot/core/file-store.ts";
import { SealedFiles } from "../../../bot/storage/files/sealed-files.ts";
import { byHand, noPostgres, orSkipped } from "../../support/postgres.ts";
import { createPostgresStore, makeSchema } from "../../support/postgres-store.ts";
import { update } from "../store-conformance.ts";

async function open(schema: string, name: string) {
  const directory = mkdtempSync(join(tmpdir(), "files-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const store = await createPostgresStore({ schema, name, clock: systemClock });
  await store.open();
  const files = new SealedFiles({
    ...{ clock: systemClock, directory, publish: () => {}, store },
    totalBytesMax: 10_000_000,
    attemptMs: 60_000,
  });
  const put = (content: Buffer) =>
    files.put(content, { bytesMax: 50_000_000, signal: new AbortController().signal });
  const read = async (file: StoredFile) => {
    const parts: Uint8Array[] = [];
    for await (const part of await files.open(file)) parts.push(part);
    return Buffer.concat(parts);
  };
  return { files, put, read, store };
}

describe.skipIf(noPostgres)(`files on PostgreSQL${orSkipped}`, () => {
  test.each([0, 1, 262_144, 700_000])(
    "a content of %i bytes that one process has stored comes back in another, and is unreadable in between",
    async (bytes) => {
      const schema = makeSchema();
      const [one, two] = [await open(schema, "one"), await open(schema, "two")];
      const content = Buffer.alloc(bytes, "secret words ");
      const file = await one.put(content);
      expect((await two.read(file)).equals(content)).toBe(true);
      const kept = await byHand<{ content: Buffer }>(`SELECT content FROM ${schema}.files`);
      for (const row of kept) expect(row.content.includes("secret words")).toBe(false);
    },
  );

  test("what is cut or missing in the database is gone, in plain words", async () => {
    const schema = makeSchema();
    const [one, two] = [await open(schema, "one"), await open(schema, "two")];
    const file = await one.put(Buffer.alloc(600_000, "x"));
    await byHand(`DELETE FROM ${schema}.files WHERE part = 1`);
    await expect(two.read(file)).rejects.toMatchObject({ code: "FILE_GONE" });
    await byHand(`DELETE FROM ${schema}.files`);
    await expect(two.read(file)).rejects.toMatchObject({ code: "FILE_GONE" });
    expect((await one.read(file)).length).toBe(600_000);
  });

  test("the sweep removes what nothing names once no attempt can name it any more", async () => {
    const schema = makeSchema();
    const one = await open(schema, "one");
    const [named, unnamed] = [await one.put(Buffer.from("a")), await one.put(Buffer.from("b"))];
    await one.store.enqueue([{ ...update("a", 1), files: [named.name] }]);
    const names = async () =>
      (await byHand<{ name: string }>(`SELECT name FROM ${schema}.files`)).map(({ name }) => name);
    await one.files.sweep();
    expect((await names()).toSorted()).toEqual([named.name, unnamed.name].toSorted());
    await byHand(`UPDATE ${schema}.files SET stored_at = 0`);
    await one.files.sweep();
    expect(await names()).toEqual([named.name]);
  });
});
