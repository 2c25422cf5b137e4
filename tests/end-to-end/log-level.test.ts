/** An operator at the real bot's log: its level, its tail, and its lines as they are written. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../../lab/drill/bot-process.ts";
import { setupLiveBot } from "../support/live-bot.ts";

const operateToken = "o".repeat(40);

test("an operator turns the log up, sees its tail, and the next process begins as configured", {
  timeout: 60_000,
}, async () => {
  const { bot, directory, sandbox } = await setupLiveBot({ RESTART_TOKEN: operateToken });
  const ask = async (path: string, init?: RequestInit) => {
    const headers = { authorization: `Bearer ${operateToken}`, "content-type": "application/json" };
    const answer = await fetch(`${await bot.monitoringUrl()}${path}`, { ...init, headers });
    expect(answer.status).toBe(200);
    return answer;
  };
  const logs = async () => {
    const { data } = (await (await ask("/api/logs?limit=50")).json()) as {
      data: { level: string; lines: { event: string; level: string; facts: object }[] };
    };
    return data;
  };
  const written = () =>
    readdirSync(join(directory, "logs"))
      .filter((name) => name.startsWith("bot-"))
      .map((name) => readFileSync(join(directory, "logs", name), "utf8"))
      .join("");
  bot.start();
  expect((await logs()).level).toBe("warn");
  expect(written()).not.toContain('"updates.received"');

  const following = await ask("/api/events");
  await ask("/api/log-level", { method: "POST", body: JSON.stringify({ level: "debug" }) });
  await sandbox.write({ userId: 1, text: "/start" });

  await eventually("debug lines are written", async () => written().includes('"updates.received"'));
  const { level, lines } = await logs();
  expect(level).toBe("debug");
  expect(lines).toContainEqual(
    expect.objectContaining({
      event: "log.level-changed",
      level: "warn",
      facts: { from: "warn", to: "debug" },
    }),
  );
  expect(lines.every((line) => line.level === "warn" || line.level === "error")).toBe(true);
  expect(await readUntil(following, "event: log")).toContain("log.level-changed");
  const metrics = await (await ask("/metrics")).text();
  expect(metrics).toMatch(/^bot_log_lines_dropped_total\{level="error"\} 0$/m);
  expect(metrics).toMatch(/^bot_log_lines_suppressed_total \d+$/m);

  expect(await bot.stop()).toBe(0);
  bot.start();
  expect((await logs()).level).toBe("warn");
  expect(await bot.stop()).toBe(0);
});

/** @returns the stream up to the entry that has these words. */
async function readUntil(answer: Response, words: string): Promise<string> {
  let text = "";
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    if (text.slice(text.indexOf(words)).includes("\n\n") && text.includes(words)) break;
  }
  return text;
}
