/** The token that is made when none is configured. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { AccessTokens } from "../../bot/api/access-tokens.ts";
import type { BotEvent } from "../../bot/core/events.ts";
import { Secret } from "../../bot/core/secret.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

function setup(operate: readonly Secret[] = []) {
  const root = mkdtempSync(join(tmpdir(), "tokens-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const directory = join(root, "data");
  const events: BotEvent[] = [];
  const clock = new ManualClock();
  const create = () =>
    new AccessTokens({
      clock,
      publish: (event) => events.push(event),
      directory,
      operate,
      read: [],
    });
  return { clock, create, directory, events, file: join(directory, "restart-token") };
}

async function tokenOf(tokens: AccessTokens): Promise<string | undefined> {
  await tokens.start();
  return tokens.current.operate[0]?.reveal();
}

lifecycleConformance("the access tokens", () => {
  const { clock, create } = setup();
  return { clock, component: create() };
});

test("before it has started, and with none configured, nothing opens what changes", () => {
  expect(setup().create().current.operate).toEqual([]);
});

test("without a configured token one is made, for its owner's eyes only, and kept", async () => {
  const { create, events, file } = setup();

  const token = await tokenOf(create());

  expect(token).toMatch(/^[\w-]{43}$/);
  expect(JSON.stringify(events)).not.toContain(token);
  expect(readFileSync(file, "utf8").trim()).toBe(token);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await tokenOf(create())).toBe(token);
  expect(create().file).toBeUndefined();
});

test("a configured token is used, and nothing is written", async () => {
  const { create, file } = setup([new Secret("configured")]);
  const tokens = create();

  expect(await tokenOf(tokens)).toBe("configured");
  expect(tokens.file).toBeUndefined();
  expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined();
});

test.each([
  ["torn", "abc", 0o600],
  ["empty", "", 0o600],
  ["readable by others", "A".repeat(43), 0o644],
])("a file that is %s is replaced", async (_, contents, mode) => {
  const { create, directory, file } = setup();
  mkdirSync(directory);
  writeFileSync(file, contents);
  chmodSync(file, mode);

  const token = await tokenOf(create());

  expect(token).toMatch(/^[\w-]{43}$/);
  expect(token).not.toBe(contents);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("a disk that takes nothing leaves the bot without a token, and says so", async () => {
  const { create, directory, events } = setup();
  writeFileSync(directory, "a file where a directory should be");

  expect(await tokenOf(create())).toBeUndefined();
  expect(events).toMatchObject([{ type: "api.failed", path: "restart-token" }]);
});
