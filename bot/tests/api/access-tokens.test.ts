/** Access tokens: one is made when none is configured, kept to ourselves, and kept over restarts. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AccessTokens } from "../../api/access-tokens.ts";
import type { BotEvent } from "../../contracts/events.ts";
import { Secret } from "../../contracts/secret.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setup(operate: readonly Secret[] = []) {
  const parent = mkdtempSync(join(tmpdir(), "access-tokens-"));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const directory = join(parent, "data");
  const publish = (event: BotEvent) => events.push(event);
  const create = () => new AccessTokens({ clock, publish, directory, operate, read: [] });
  const made = async () => {
    const tokens = create();
    await tokens.start();
    return tokens.current.operate.map((token) => token.reveal());
  };
  return { clock, create, directory, events, file: join(directory, "restart-token"), made, parent };
}

lifecycleConformance("the access tokens", () => {
  const { clock, create } = setup();
  return { clock, component: create() };
});

test("before it has started, and with none configured, nothing opens what changes", () => {
  expect(setup().create().current.operate).toEqual([]);
});

test("a token is made once, for us alone to read, and the next process has the same", async () => {
  const { events, file, made } = setup();
  const [token] = await made();
  expect(readFileSync(file, "utf8")).toBe(`${token}\n`);
  expect(statSync(file).mode & 0o077).toBe(0);
  expect(await made()).toEqual([token]);
  expect(JSON.stringify(events)).not.toContain(token);
});

test.for<[string, (file: string) => void]>([
  ["torn", (file) => writeFileSync(file, "abc")],
  ["empty", (file) => writeFileSync(file, "")],
  ["readable by others", (file) => chmodSync(file, 0o644)],
])("a file that is %s is replaced by a new token", async ([, spoil]) => {
  const { file, made } = setup();
  const [before] = await made();
  spoil(file);
  const [after] = await made();
  expect(after).toMatch(/^[\w-]{43}$/);
  expect(after).not.toBe(before);
  expect(statSync(file).mode & 0o077).toBe(0);
});

test("where one is configured none is made", async () => {
  const { create, file } = setup([new Secret("configured")]);
  const tokens = create();
  await tokens.start();
  expect(tokens.current.operate.map((token) => token.reveal())).toEqual(["configured"]);
  expect(tokens.file).toBeUndefined();
  expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
});

test("a disk that takes nothing is reported, and nothing opens what changes", async () => {
  const { directory, events, made } = setup();
  writeFileSync(directory, "a file where the directory should be");
  expect(await made()).toEqual([]);
  expect(events).toMatchObject([{ type: "api.failed", path: "restart-token" }]);
});
