/**
 * Examples: each runs as a real process beside the sandbox, and is killed while people talk to it.
 *
 * A new example is one more row.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { eventually } from "../../lab/drill/bot-process.ts";
import type { SandboxClient } from "../../sandbox/client.ts";
import { setupLiveBot } from "../support/live-bot.ts";

const folder = fileURLToPath(new URL("../../examples/", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
const person = { userId: 7, firstName: "Ada" };

interface Row {
  readonly example: string;
  /** What is said, in its order. */
  readonly says: readonly string[];
  /** What stands in the chat at the end, without what was said. */
  readonly answers: readonly string[];
  /** Whether it is said in a group. Default: in the private chat. */
  readonly inGroup?: boolean;
  /** What is said and gone at the end. Default: none. */
  readonly removed?: readonly string[];
}

const rows: readonly Row[] = [
  {
    example: "echo",
    says: ["/start", "one", "two", "three", "four"],
    answers: ["Write something, and I repeat it.", "one", "two", "three", "four"],
  },
  {
    example: "group-moderator",
    inGroup: true,
    says: ["hello", "bye", "buy at https://example.org"],
    answers: ["Ada, links are for admins only. You are muted for 10 minutes."],
    removed: ["buy at https://example.org"],
  },
  {
    example: "file-converter",
    says: ["hello", "hi"],
    answers: Array.from(
      { length: 2 },
      () => "Send me a text file, and I answer with it in capital letters.",
    ),
  },
  {
    example: "reminder",
    says: ["in 30 s tea", "cancel 2"],
    answers: ["Reminder 1: tea", "There is no such reminder.", "It is time: tea"],
  },
  {
    example: "streamed-answer",
    says: ["/start", "why"],
    answers: ["Ask me something.", "You asked why, and that is a good question"],
  },
  {
    example: "wizard",
    says: ["/order", "Ada", "milk", "tea"],
    answers: ["Your name?", "Tea or coffee, Ada?", "Tea or coffee, Ada?", "Order 1: tea for Ada."],
  },
];

test("every example has a row, and under 60 lines", () => {
  expect(files.map((name) => name.replace(".ts", "")).sort()).toEqual(
    rows.map(({ example }) => example).sort(),
  );
  for (const name of files) {
    expect(readFileSync(`${folder}${name}`, "utf8").trimEnd().split("\n").length).toBeLessThan(60);
  }
});

test.each(rows)(
  "$example answers everything once although it is killed in between",
  {
    timeout: 90_000,
  },
  async ({ answers, example, inGroup = false, removed = [], says }) => {
    const { bot, sandbox } = await setupLiveBot({ BOT_MODULE: `${folder}${example}.ts` });
    const chatId = await openChat(sandbox, inGroup);
    bot.start();
    await bot.monitoringUrl();
    for (const text of says) {
      await sandbox.write({ userId: person.userId, chatId, text });
      await bot.kill();
      bot.start();
    }
    const texts = async () =>
      (await sandbox.messages({ chatId })).map(({ from, text }) => [
        from?.id === person.userId,
        text,
      ]);
    const wrote = async (byPerson: boolean) =>
      (await texts()).filter(([own]) => own === byPerson).map(([, text]) => text);
    await eventually(
      "all answers",
      async () => {
        const texts = await wrote(false);
        return texts.length >= answers.length && texts.at(-1) === answers.at(-1);
      },
      60_000,
    );
    const kept = says.filter((text) => !removed.includes(text));
    await eventually("the rest", async () => (await wrote(true)).length <= kept.length);
    expect(await bot.stop()).toBe(0);
    // A send that was cut off may stand there twice; nothing else may.
    expect((await wrote(false)).filter((text, index, all) => text !== all[index - 1])).toEqual(
      answers.filter((text, index, all) => text !== all[index - 1]),
    );
    expect(await wrote(true)).toEqual(kept);
  },
);

async function openChat(sandbox: SandboxClient, inGroup: boolean): Promise<number> {
  await sandbox.createUser({ id: person.userId, firstName: person.firstName, started: true });
  if (!inGroup) return person.userId;
  // Its first member owns a group, and is no one to moderate.
  const owner = await sandbox.createUser({ firstName: "Grace" });
  const memberIds = [owner.id, person.userId];
  const group = await sandbox.createGroup({ title: "Group", memberIds });
  return group.id;
}
