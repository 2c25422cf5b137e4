/** Bring a bot: the real process with the file of somebody's own bot. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { setupLiveBot } from "../support/live-bot.ts";

const examples = fileURLToPath(new URL("../../examples/", import.meta.url));

test.each([
  ["that does not exist", "test", undefined, "no such file"],
  ["that does not exist, in production", "production", undefined, "no such file"],
  ["that throws", "production", 'throw new Error("no luck");', "no luck"],
  [
    "whose setup throws",
    "test",
    'export default { name: "x", setup() { throw new Error("no luck"); } };',
    "no luck",
  ],
  [
    "that blocks while it is loaded",
    "test",
    "for (;;);",
    "blocked the process for 10 s while it was loaded",
  ],
  [
    "whose setup blocks",
    "test",
    'export default { name: "x", setup() {\n for (;;); } };',
    "setup has blocked",
  ],
])(
  "a file %s ends the start with exit code 78",
  { timeout: 60_000 },
  async (_, profile, text, said) => {
    const { bot, directory } = await setupLiveBot({ NODE_ENV: profile });
    const file = join(directory, "my-bot.ts");
    if (text !== undefined) writeFileSync(file, text);
    bot.setEnv({ BOT_MODULE: file });
    bot.start();
    expect(await bot.ended()).toBe(78);
    expect(bot.output).toContain("my-bot.ts");
    expect(bot.output).toContain(said);
  },
);

test("bots take turns on one data directory, and each finds its own data again", {
  timeout: 120_000,
}, async () => {
  const { bot, sandbox } = await setupLiveBot();
  const as = async (file: string, text: string, answer: RegExp) => {
    bot.setEnv({ BOT_MODULE: file });
    bot.start();
    await bot.monitoringUrl();
    const { message } = await sandbox.write({ userId: 7, text });
    const isAnswer = (found: { message_id: number; text?: string }) =>
      found.message_id > message.message_id && answer.test(found.text ?? "");
    await sandbox.waitForMessage(7, isAnswer, { timeoutMs: 30_000 });
    expect(await bot.stop()).toBe(0);
  };
  await as("", "/start", /balance.*50/is);
  await as(join(examples, "echo.ts"), "/balance", /^\/balance$/);
  await as("", "/balance", /50/);
});
