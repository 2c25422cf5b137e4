/** Timed bot: a durable bot on a machine whose time tests move, and the calls that reach Telegram. */
import { expect } from "vitest";
import type { BotApi } from "../../bot/core/bot-api.ts";
import type { RawUpdate } from "../../bot/core/intake.ts";
import type { JsonObject } from "../../bot/core/message.ts";
import { toUpdateMessage } from "../../bot/telegram/intake/update-message.ts";
import type { CrashPlan } from "../../lab/simulation/simulated-disk.ts";
import { bootDurableBot, type Routes, withRoutes } from "./durable-bot.ts";
import { QueueMachine } from "./queue-under-test.ts";

export class TimedBot {
  readonly machine = new QueueMachine();
  /** Method and text, or the id of what it is about. */
  readonly calls: string[] = [];
  readonly payloads: JsonObject[] = [];
  readonly #routes: Routes;
  #messageId = 900;

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  get clock() {
    return this.machine.clock;
  }

  /** A process whose queue runs. @param routes Default: those of the bot. */
  async start(routes = this.#routes, plan?: CrashPlan) {
    const api: BotApi = {
      call: async <T>(method: string, payload: JsonObject) => {
        const { message_id: id, text } = payload;
        this.calls.push(`${method} ${String(text ?? id ?? "")}`.trim());
        this.payloads.push(payload);
        return (method.startsWith("send") ? { message_id: ++this.#messageId } : true) as T;
      },
    };
    const life = await bootDurableBot(this.machine, withRoutes(routes), api, plan);
    await life.queue.start();
    return {
      ...life,
      say: (update: RawUpdate) =>
        life.queue.insertMessageByPriority([toUpdateMessage(update, "42")]),
      stop: async () => {
        await life.queue.stop();
        await life.store.close();
      },
      deadLetters: () => life.store.deadLetters({ offset: 0, limit: 100 }),
    };
  }
}

/** Lets time pass in small parts, so that what follows from one thing happens before the next. */
export async function pass(bot: TimedBot, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) await bot.clock.advance(Math.min(1_000, left));
}

/** Expects a rejection that says what to do. */
export async function expectRefusal(
  work: Promise<unknown>,
  message: RegExp,
  code = "DATA_REFUSED",
) {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code });
  expect((error as Error).message).toMatch(message);
}
