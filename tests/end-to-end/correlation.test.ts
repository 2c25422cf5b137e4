/** One id in the log of the real bot for all that comes from one update, over a kill as well. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../../lab/drill/bot-process.ts";
import { setupLiveBot } from "../support/live-bot.ts";

interface Line {
  readonly event: string;
  readonly cid?: string;
  readonly facts: { readonly ref?: { readonly messageId: number; readonly messageType: string } };
}

test("an operator finds an update's handling, its failed send and the retry after a kill by one id", {
  timeout: 60_000,
}, async () => {
  const { bot, directory, sandbox } = await setupLiveBot({ LOG_LEVEL: "debug" });
  const linesAbout = (type: string) =>
    readLines(join(directory, "logs")).filter((line) => line.facts.ref?.messageType === type);
  await sandbox.addFault({ match: "sendMessage", chatId: 1, fault: { kind: "close" } });
  bot.start();
  await bot.monitoringUrl();
  await sandbox.write({ userId: 1, text: "/start" });
  await eventually("the send failed", async () =>
    linesAbout("send").some(({ event }) => event !== "message.done"),
  );
  await bot.kill();
  await sandbox.clearFaults();
  const failedAttempts = linesAbout("send").filter(({ event }) => event !== "message.done").length;
  bot.start();
  await sandbox.waitForMessage(1, (message) => message.text?.startsWith("Hello") ?? false, {
    timeoutMs: 20_000,
  });
  expect(await bot.stop()).toBe(0);

  const [handled] = linesAbout("update").filter(({ event }) => event === "message.done");
  expect(handled?.cid).toMatch(/^u\d+$/);
  // Those before it are the command menus, which no update asked for.
  const handledId = handled?.facts.ref?.messageId ?? Number.NaN;
  const sends = linesAbout("send").filter(({ facts }) => (facts.ref?.messageId ?? 0) > handledId);
  expect(sends.length).toBeGreaterThan(failedAttempts);
  expect(new Set(sends.map(({ cid }) => cid))).toEqual(new Set([handled?.cid]));
  expect(sends.at(-1)?.event).toBe("message.done");
  const business = readLines(join(directory, "logs")).filter(
    ({ event }) => event === "user_registered",
  );
  expect(business.map(({ cid }) => cid)).toEqual([handled?.cid]);
});

function readLines(directory: string): readonly Line[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith("bot-"))
    .flatMap((name) => readFileSync(join(directory, name), "utf8").split("\n").slice(0, -1))
    .map((line) => JSON.parse(line));
}
