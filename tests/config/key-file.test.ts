/** The key file: made once, readable by its owner only, and never replaced. */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseConfig } from "../../bot/config/fault-tolerance-config.ts";
import { createKeyFile, encryptionKeysOf, readKeyFile } from "../../bot/config/key-file.ts";

function setup() {
  const directory = mkdtempSync(join(tmpdir(), "key-file-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return { directory, path: join(directory, "data", "encryption.key") };
}

test("a key is made with its directory, for its owner only, and found again", () => {
  const { directory, path } = setup();
  expect(readKeyFile(path)).toBeUndefined();
  const key = createKeyFile(path);
  expect(Buffer.from(key.reveal(), "base64")).toHaveLength(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readKeyFile(path)?.reveal()).toBe(key.reveal());
  expect(readdirSync(join(directory, "data"))).toEqual(["encryption.key"]);
});

test("a key that another process was faster to make is taken, not replaced", () => {
  const { path } = setup();
  const first = createKeyFile(path);
  const before = readFileSync(path);
  expect(createKeyFile(path).reveal()).toBe(first.reveal());
  expect(readFileSync(path).equals(before)).toBe(true);
});

test.each<[string, (path: string) => void, string]>([
  ["one that others can read", (path) => chmodSync(path, 0o640), "chmod 600"],
  ["an empty one", (path) => writeFileSync(path, ""), "Put your copy"],
  ["a torn one", (path) => writeFileSync(path, "c2hvcnQ="), "Put your copy"],
])("%s is refused with what to do", (_, spoil, hint) => {
  const { path } = setup();
  createKeyFile(path);
  spoil(path);
  const refusal = { code: "CONFIGURATION_ENCRYPTION_KEY", hint: expect.stringContaining(hint) };
  expect(() => readKeyFile(path)).toThrow(expect.objectContaining(refusal));
});

test("a configured key wins over the file, in base64 or hexadecimal", () => {
  const { directory, path } = setup();
  const made = createKeyFile(path);
  const bytes = Buffer.from(Array.from({ length: 32 }, (__, n) => 7 * n + 1));
  const find = (env: Record<string, string>) => {
    const config = parseConfig({ DATA_DIR: join(directory, "data"), ...env });
    return encryptionKeysOf(config.storage).find()?.reveal();
  };
  expect(find({})).toBe(made.reveal());
  expect(find({ ENCRYPTION_KEY: bytes.toString("base64") })).toBe(bytes.toString("base64"));
  expect(find({ ENCRYPTION_KEY: bytes.toString("hex") })).toBe(bytes.toString("base64"));
});

test("a previous key alone, or the same one, is a problem", () => {
  const key = Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString("hex");
  for (const env of [{}, { ENCRYPTION_KEY: key }]) {
    expect(() => parseConfig({ ...env, ENCRYPTION_KEY_PREVIOUS: key })).toThrow(
      /ENCRYPTION_KEY_PREVIOUS/,
    );
    expect(() => parseConfig({ ...env, ENCRYPTION_KEY_PREVIOUS: key })).not.toThrow(key);
  }
});
