/** Writing a bot: every block of docs/writing-a-bot.md is loaded, talked to, and killed everywhere. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { type Script, survives } from "../lab/crash-test/survives.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const document = readFileSync(join(root, "docs/writing-a-bot.md"), "utf8");

/** The files by name: a block belongs to the name above it. */
const files = new Map(
  [...document.matchAll(/^\*\*`([\w.-]+)`\*\*\n\n```\w+\n([\s\S]*?)^```$/gm)].map(
    ([, name = "", text = ""]) => [name, text],
  ),
);

/** What is said to each bot, when the page itself does not say it. */
const scripts: Readonly<Record<string, Script>> = {
  "echo.ts": [{ say: "/start" }, { say: "hello" }],
  "greeter.ts": [{ say: "/start" }, { say: "well" }],
  "quiz.ts": [{ say: "/next" }, { say: "3" }, { say: "2" }],
  "progress.ts": [{ say: "/report" }],
  "guests.ts": [{ say: "/start" }, { from: 8, say: "/start" }, { say: "/start" }],
  // A play begins on a Tuesday at nine in Tokyo.
  "standup.ts": [
    { say: "/join" },
    { say: "today: the garden" },
    { from: 8, say: "today: the roof" },
    { say: "done" },
    { wait: 1_800 },
  ],
  "tips.ts": [
    { act: "tip", data: 2 },
    { from: 8, act: "tip", data: 1 },
    { act: "tip", data: 1 },
  ],
  "counter.ts": JSON.parse(files.get("counter.json") ?? "[]") as Script,
};

/** Writes the page's files beside each other. */
function written(parent: string): string {
  const directory = mkdtempSync(join(parent, "writing-a-bot-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of files) writeFileSync(join(directory, name), text);
  return directory;
}

test("every bot on the page has a conversation", () => {
  const bots = [...files.keys()].filter((name) => name.endsWith(".ts"));
  expect(bots.sort()).toEqual(Object.keys(scripts).sort());
});

test.each(Object.entries(scripts))(
  "%s survives every death",
  async (name, script) => {
    const { calls } = await survives(join(written(tmpdir()), name), script);
    expect(calls).toBeGreaterThanOrEqual(script.length);
  },
  120_000,
);

test("the page's bots have the types they claim", async () => {
  // Only within the project the compiler finds the kit.
  const directory = written(join(root, "node_modules", ".cache"));
  const project = {
    extends: join(root, "tsconfig.json"),
    include: ["*.ts"],
    compilerOptions: { paths: { "unsinkable-telegram-bot/kit": [join(root, "bot/kit/index.ts")] } },
  };
  const file = join(directory, "tsconfig.json");
  writeFileSync(file, JSON.stringify(project));
  const tsc = promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["--noEmit", "-p", file]);
  await tsc.catch(({ stdout }: { stdout: string }) => {
    throw new Error(stdout);
  });
}, 120_000);
