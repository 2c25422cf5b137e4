/** Mini App requests: an act is done once under its id, in order with what the person writes. */
import { expect, test } from "vitest";
import type { BotContext } from "../../../bot/kit/bot-context.ts";
import { MiniAppRequests } from "../../../bot/telegram/mini-app/mini-app-requests.ts";
import { ada, said } from "../../shop/commands/bot-under-test.ts";
import type { Routes } from "../../support/durable-bot.ts";
import { pass, TimedBot } from "../../support/timed-bot.ts";

const from = { ...ada, is_bot: false };
const id = (n: number) => `request-number-${n}`;
const patient = new AbortController().signal;

/** Counts acts in a document, so that what was done twice would show. */
const counting: Routes = (bot, _session, { miniApp }) => {
  bot.use(async (ctx, next) => ("blocked" in dataOf(ctx) ? undefined : next()));
  bot.use(
    miniApp.act<BotContext>("count", async (ctx, data, requestId) => {
      const total = await ctx.transaction(async ({ documents }) => {
        const next = ((await documents.get<number>("counts", "all")) ?? 0) + 1;
        await documents.put("counts", "all", next);
        return next;
      });
      if ((data as { fail?: boolean } | null)?.fail) throw new Error("a defect of the handler");
      await ctx.reply(`counted ${total} in ${ctx.chat?.id}`);
      return { total, requestId };
    }),
  );
  bot.on("text", (ctx) => ctx.reply(`said ${ctx.message.text}`));
  miniApp.ask("hello", (person, data) => `hello ${person.first_name} ${JSON.stringify(data)}`);
};

function dataOf(ctx: BotContext): object {
  const { data } =
    (ctx.update as { mini_app_request?: { data?: object | null } }).mini_app_request ?? {};
  return data ?? {};
}

async function setup() {
  const bot = new TimedBot(counting);
  const start = async (...plan: Parameters<TimedBot["start"]>) => {
    const life = await bot.start(...plan);
    const requests = new MiniAppRequests({
      clock: bot.clock,
      store: life.store,
      handlers: life.miniApp,
      accept: (messages) => life.queue.insertMessageByPriority(messages),
      room: () => life.queue.room(),
    });
    const act = (n: number, data: object | null = null) =>
      requests.act(from, "count", id(n), data as never, patient);
    return { ...life, requests, act };
  };
  return { bot, start };
}

/** Lets time pass until the work is done. */
async function during<T>(bot: TimedBot, work: Promise<T>): Promise<T> {
  let done = false;
  const finished = work.finally(() => {
    done = true;
  });
  for (let turn = 0; !done && turn < 200; turn++) await bot.clock.advance(50);
  return finished;
}

test("an act is answered, and what it replies goes to the person's chat", async () => {
  const { bot, start } = await setup();
  const { act } = await start();
  expect(await during(bot, act(1))).toEqual({
    state: "answered",
    answer: { total: 1, requestId: id(1) },
  });
  await pass(bot, 1_000);
  expect(bot.calls).toEqual([`sendMessage counted 1 in ${ada.id}`]);
});

test("under one id it is done once: sent twice, at the same time, and after its answer", async () => {
  const { bot, start } = await setup();
  const { act, requests } = await start();
  const both = await during(bot, Promise.all([act(1), act(1)]));
  expect(await during(bot, act(1))).toEqual(both[0]);
  expect(both[0]).toEqual(both[1]);
  expect(await requests.stateOf(from, id(1))).toEqual(both[0]);
  expect(await during(bot, act(2))).toMatchObject({ answer: { total: 2 } });
});

test("the same id of another person is another act", async () => {
  const { bot, start } = await setup();
  const { act, requests } = await start();
  await during(bot, act(1));
  const li = { ...from, id: from.id + 1 };
  const theirs = requests.act(li, "count", id(1), null, patient);
  expect(await during(bot, theirs)).toMatchObject({ answer: { total: 2 } });
});

test("it is in order with what the person writes", async () => {
  const { bot, start } = await setup();
  const { act, say } = await start();
  await say(said(ada, "before"));
  const acting = act(1);
  await bot.clock.advance(0);
  await say(said(ada, "after"));
  await during(bot, acting);
  await pass(bot, 5_000);
  expect(bot.calls.map((call) => call.replace("sendMessage ", ""))).toEqual([
    "said before",
    `counted 1 in ${ada.id}`,
    "said after",
  ]);
});

test("after a death at any commit the page sends it again, and it was done once", async () => {
  for (let atCommit = 1; atCommit < 8; atCommit++) {
    for (const reachedDisk of [false, true]) {
      const { bot, start } = await setup();
      const first = await start(undefined, { atCommit, reachedDisk }).catch(() => undefined);
      if (first) {
        // The page never hears of this one.
        void first.act(1).catch(() => {});
        await pass(bot, 2_000);
        first.kill();
      }
      const { act } = await start();
      const told = `${atCommit} ${reachedDisk}`;
      expect(await during(bot, act(1)), told).toMatchObject({
        state: "answered",
        answer: { total: 1 },
      });
    }
  }
});

test("an act that a middleware stops is refused, and one that fails is a dead letter", async () => {
  const { bot, start } = await setup();
  const { act, deadLetters } = await start();
  expect(await during(bot, act(1, { blocked: true }))).toEqual({ state: "refused" });
  const failing = act(2, { fail: true });
  await pass(bot, 60_000);
  expect((await failing).state).toMatch(/waiting|failed/);
  expect(await during(bot, act(2, { fail: true }))).toEqual({ state: "failed" });
  expect(await deadLetters()).toMatchObject([{ type: "task", reason: "attempts-exhausted" }]);
});

test("while there is no room nothing is taken, and nothing is waited for", async () => {
  const { bot, start } = await setup();
  const { miniApp, queue, store } = await start();
  const requests = new MiniAppRequests({
    clock: bot.clock,
    store,
    handlers: miniApp,
    accept: (messages) => queue.insertMessageByPriority(messages),
    room: async () => 0,
  });
  expect(await requests.act(from, "count", id(1), null, patient)).toEqual({ state: "busy" });
  expect(await requests.stateOf(from, id(1))).toEqual({ state: "unknown" });
});

test("a request whose person has gone stops waiting, and the act is done all the same", async () => {
  const { bot, start } = await setup();
  const { requests } = await start();
  const gone = new AbortController();
  gone.abort();
  expect(await requests.act(from, "count", id(1), null, gone.signal)).toEqual({ state: "waiting" });
  await pass(bot, 1_000);
  expect(await requests.stateOf(from, id(1))).toMatchObject({ state: "answered" });
});

test("a question is answered at once", async () => {
  const { start } = await setup();
  const { requests } = await start();
  expect(requests.asks("hello")).toBe(true);
  expect(requests.asks("toString")).toBe(false);
  expect(await requests.ask(from, "hello", [1])).toBe("hello Ada [1]");
});
