/**
 * Correlation: everything that comes from one update has one id in the log, over attempts and
 * deaths.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import type { BotApi } from "../../../bot/core/bot-api.ts";
import { CallUnknownError } from "../../../bot/core/errors.ts";
import type { JsonObject, Message } from "../../../bot/core/message.ts";
import { cidOf } from "../../../bot/telegram/context/correlation.ts";
import { toUpdateMessage } from "../../../bot/telegram/intake/update-message.ts";
import { BotLogger, withCorrelation } from "../../../bot/utils/logger.ts";
import { ada, said } from "../../shop/commands/bot-under-test.ts";
import { bootDurableBot, withRoutes } from "../../support/durable-bot.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { QueueMachine } from "../../support/queue-under-test.ts";

test.for<[Message["type"], JsonObject, string]>([
  ["update", { update_id: 5 }, "u5"],
  ["update", { update_id: "5", cid: "forged" }, "m9"],
  ["update", { cid: "u7" }, "m9"],
  ["send", { method: "sendMessage", payload: {}, cid: "u5" }, "u5"],
  ["send", { method: "sendMessage", payload: { cid: "u6" } }, "m9"],
  ["broadcast", { method: "sendMessage", payload: {}, update_id: 5 }, "m9"],
])("%s with %j has the id %s", ([type, payload, cid]) => {
  expect(cidOf({ id: 9, type, payload } as Message)).toBe(cid);
});

function createLog(lines: Record<string, unknown>[]): BotLogger {
  const directory = mkdtempSync(join(tmpdir(), "correlation-"));
  const stdout = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (chunk.length > 0) lines.push(JSON.parse(chunk.toString()));
      done();
    },
  });
  const fixed = { directory, level: "debug", keepDays: 1, profile: "production" } as const;
  const log = new BotLogger({ ...fixed, clock: new ManualClock(), stdout, stderr: stdout });
  onTestFinished(async () => {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return log;
}

test("a handler, its steps, its sends, their retries and those after a death share the update's id", async () => {
  const lines: Record<string, unknown>[] = [];
  const log = createLog(lines);
  const machine = new QueueMachine();
  const makeBot = withRoutes((bot) => {
    bot.command("go", async (ctx) => {
      const who = ctx.from.id;
      log.info("handler", { who });
      await ctx.transaction(async () => {
        log.info("step", { who });
        await ctx.reply(`inside ${who}`);
      });
      await ctx.reply(`after ${who}`);
    });
  });
  let working = false;
  const api: BotApi = {
    call: async <T>(method: string, payload: JsonObject) => {
      log.info("send", { who: payload["chat_id"], working });
      if (!working) throw new CallUnknownError(method);
      return true as T;
    },
  };
  const boot = () =>
    bootDurableBot(machine, makeBot, api, undefined, {
      publish: log.listener,
      correlate: (message, run) =>
        withCorrelation({ cid: cidOf(message), messageId: message.id }, run),
    });
  const people = [1, 2, 3].map((id) => ({ ...ada, id }));
  const updates = people.map((person) => said(person, "/go"));

  const first = await boot();
  await first.queue.start();
  // They are queued in one batch, so that their steps share commits.
  await first.queue.insertMessageByPriority(updates.map((one) => toUpdateMessage(one, "42")));
  await machine.clock.advance(1_500);
  first.kill();
  working = true;
  const second = await boot();
  await second.queue.start();
  await machine.clock.advance(60_000);

  for (const [index, update] of updates.entries()) {
    const who = people[index]?.id;
    const own = lines.filter((line) => (line["facts"] as { who?: number }).who === who);
    expect(new Set(own.map((line) => line["cid"]))).toEqual(new Set([`u${update.update_id}`]));
    expect(own.map((line) => line["event"])).toEqual(
      expect.arrayContaining(["handler", "step", "send"]),
    );
    const sends = own.filter((line) => line["event"] === "send");
    const fates = sends.map((line) => (line["facts"] as { working: boolean }).working);
    expect(fates.filter((fate) => !fate).length).toBeGreaterThan(1);
    expect(fates.filter((fate) => fate)).toHaveLength(2);
    const events = lines.filter((line) => line["cid"] === `u${update.update_id}`);
    const of = (event: string) => events.filter((line) => line["event"] === event).length;
    // One for the update and one for each of the two sends.
    expect(of("message.done")).toBe(3);
    expect(of("message.retry-scheduled")).toBeGreaterThan(0);
  }
});
