/** Sealed files: what is stored comes back, what nothing names goes, and no one can read the rest. */
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import type { FileContent, StoredFile } from "../../../bot/core/file-store.ts";
import { SealedFiles, type SealedFilesDeps } from "../../../bot/storage/files/sealed-files.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function setup(overrides: Partial<SealedFilesDeps> = {}) {
  const directory = mkdtempSync(join(tmpdir(), "files-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  const named = new Set<string>();
  const boot = () =>
    new SealedFiles({
      directory,
      clock,
      publish: () => {},
      store: { filesInUse: async () => [...named] },
      totalBytesMax: 10_000_000,
      attemptMs: 60_000,
      ...overrides,
    });
  const files = boot();
  const signal = new AbortController().signal;
  const put = (content: FileContent, bytesMax = 50_000_000) =>
    files.put(content, { bytesMax, signal });
  const list = () =>
    existsSync(join(directory, "files")) ? readdirSync(join(directory, "files")) : [];
  const pathOf = ({ name }: StoredFile) => join(directory, "files", name);
  return { boot, clock, directory, files, list, named, pathOf, put };
}

lifecycleConformance("files", () => {
  const { clock, files } = setup();
  return { clock, component: files };
});

async function read(files: SealedFiles, file: StoredFile): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of await files.open(file)) parts.push(part);
  return Buffer.concat(parts);
}

test.each([0, 1, 65_535, 65_536, 65_537, 300_000])(
  "a content of %i bytes comes back, from a Buffer and from a stream in parts of any size",
  async (bytes) => {
    const { boot, list, put } = setup();
    const content = Buffer.alloc(bytes, "secret words ");
    const file = await put(content);
    expect(file.bytes).toBe(bytes);
    const parts = [content.subarray(0, 7), content.subarray(7, 70_000), content.subarray(70_000)];
    expect(await put(Readable.from(parts))).toEqual(file);
    expect(list()).toEqual([file.name]);
    expect((await read(boot(), file)).equals(content)).toBe(true);
  },
);

test("neither the name nor what is on the disk tells the content", async () => {
  const { boot, pathOf, put } = setup();
  const content = Buffer.from("secret words ".repeat(100));
  const file = await put(content);
  expect(readFileSync(pathOf(file)).includes("secret")).toBe(false);
  const other = await boot().put(content, { bytesMax: 1e6, signal: new AbortController().signal });
  expect(other.name).not.toBe(file.name);
});

test.each<[string, (path: string) => void]>([
  ["missing", (path) => rmSync(path)],
  ["cut", (path) => writeFileSync(path, readFileSync(path).subarray(0, -1))],
  ["changed in its header", (path) => flip(path, 30)],
])("a file that is %s is gone", async (_, damage) => {
  const { files, pathOf, put } = setup();
  const file = await put(Buffer.from("content"));
  damage(pathOf(file));
  await expect(read(files, file)).rejects.toMatchObject({ code: "FILE_GONE" });
});

test("a file whose content was changed cannot be read to its end", async () => {
  const { files, pathOf, put } = setup();
  const file = await put(Buffer.from("content"));
  flip(pathOf(file), 61);
  await expect(read(files, file)).rejects.toMatchObject({ code: "FILE_GONE" });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
}

test("a name that leads out of the directory is refused", async () => {
  const { files } = setup();
  const file = { name: "../bot.db", key: "", bytes: 1 };
  await expect(files.open(file)).rejects.toMatchObject({ code: "FILE_GONE" });
});

test.each<[string, () => FileContent, string]>([
  ["is too large", () => Buffer.alloc(2_000), "FILE_TOO_LARGE"],
  ["is a stream that is too large", () => Readable.from([Buffer.alloc(2_000)]), "FILE_TOO_LARGE"],
  ["is a path to nothing", () => createReadStream("/nonexistent/x"), "FILE_UNREADABLE"],
  [
    "fails while it is read",
    async function* () {
      yield Buffer.from("x");
      throw new Error("the other side hung up");
    },
    "FILE_UNREADABLE",
  ],
])("what %s is refused and leaves nothing behind", async (_, content, code) => {
  const { list, put } = setup();
  await expect(put(content(), 1_000)).rejects.toMatchObject({ code });
  expect(list()).toEqual([]);
});

test("a stream that fails before it is read does not end the process", async () => {
  const { list, put } = setup();
  const stream = new Readable({ read() {} });
  const stored = put(stream);
  stream.destroy(new Error("the other side hung up"));
  await expect(stored).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  expect(list()).toEqual([]);
});

test("a stream that hangs is given up with its attempt", async () => {
  const { files, list } = setup();
  const attempt = new AbortController();
  const hanging = new Readable({ read() {} });
  const put = files.put(hanging, { bytesMax: 1_000, signal: attempt.signal });
  attempt.abort(new Error("over"));
  await expect(put).rejects.toThrow();
  expect(list()).toEqual([]);
});

test("all files together have a limit, those under way included, and room comes back", async () => {
  const { clock, files, put } = setup({ totalBytesMax: 250_000 });
  await put(Buffer.alloc(100_000, "a"));
  const both = [put(Buffer.alloc(100_000, "b")), put(Buffer.alloc(100_000, "c"))];
  const ends = (await Promise.allSettled(both)).map(({ status }) => status);
  expect(ends).toContain("rejected");
  await expect(put(Buffer.alloc(200_000, "d"))).rejects.toMatchObject({ code: "FILES_FULL" });
  await clock.advance(60_000);
  await files.sweep();
  await files.sweep();
  await put(Buffer.alloc(200_000, "d"));
});

test("a file stays while an attempt may still name it, and while something does", async () => {
  const { clock, files, list, named, put } = setup();
  const file = await put(Buffer.from("content"));
  await files.sweep();
  await files.sweep();
  expect(list()).toEqual([file.name]);
  named.add(file.name);
  await clock.advance(60_000);
  await files.sweep();
  await files.sweep();
  expect(list()).toEqual([file.name]);
  named.clear();
  await files.sweep();
  // A commit that a full disk held up may have named it meanwhile.
  expect(list()).toEqual([file.name]);
  await files.sweep();
  expect(list()).toEqual([]);
});

test("a file that is stored again stays for the second one", async () => {
  const { clock, files, list, put } = setup();
  const file = await put(Buffer.from("content"));
  await clock.advance(59_000);
  await put(Buffer.from("content"));
  await clock.advance(59_000);
  await files.sweep();
  await files.sweep();
  expect(list()).toEqual([file.name]);
});

test("what a dead process left, finished or not, goes within two minutes of the next start", async () => {
  const { boot, clock, directory, list, named, put } = setup();
  const kept = await put(Buffer.from("kept"));
  await put(Buffer.from("never named"));
  writeFileSync(join(directory, "files", "0a.part"), "half");
  named.add(kept.name);
  const next = boot();
  onTestFinished(() => next.stop());
  await next.start();
  await clock.advance(121_000);
  expect(list()).toEqual([kept.name]);
});
