/** Later: named handlers run once at a later time, with the chat, the session and durable steps. */
import { Scenes, type Telegraf } from "telegraf";
import { expect, test } from "vitest";
import type { BotContext } from "../../bot/kit/bot-context.ts";
import { ada, group, li, said } from "../shop/commands/bot-under-test.ts";
import type { Routes } from "../support/durable-bot.ts";
import { pass, TimedBot } from "../support/timed-bot.ts";

// biome-ignore lint/suspicious/noExplicitAny: each test has a session of its own shape.
type AnyContext = BotContext & { session: any };

interface WizardContext extends BotContext {
  session: Scenes.WizardSession;
  scene: Scenes.SceneContextScene<WizardContext, Scenes.WizardSessionData>;
  wizard: Scenes.WizardContextWizard<WizardContext>;
}

const reminding: Routes = (bot, session, { later }) => {
  const own = bot as unknown as Telegraf<AnyContext>;
  own.use(session({ defaultSession: () => ({ reminders: 0 }) }));
  own.use(
    later("remind", async (ctx: AnyContext, { text }: { text: string }) => {
      ctx.session.reminders += 1;
      const count = await ctx.transaction(async ({ documents }) => {
        const next = ((await documents.get<number>("counts", "all")) ?? 0) + 1;
        await documents.put("counts", "all", next);
        return next;
      });
      await ctx.reply(`${text} ${ctx.from?.first_name} ${ctx.session.reminders} ${count}`);
    }),
  );
  own.hears(/^in (\d+) (\w+) (\w+)$/, (ctx) => {
    const [, seconds, text, key] = ctx.match;
    ctx.later(Number(seconds) * 1_000, "remind", { text }, { key: String(key) });
  });
  own.hears(/^cancel (\w+)$/, async (ctx) => {
    await ctx.reply(`cancelled: ${await ctx.cancelLater(String(ctx.match[1]))}`);
  });
};

test("it runs for the chat and the person that asked, after a death as well", async () => {
  const bot = new TimedBot(reminding);
  const first = await bot.start();
  await first.say(said(ada, "in 60 tea a"));
  await first.say(said(li, "in 90 tea a", group));
  await pass(bot, 2_000);
  first.kill();
  await bot.start();
  await pass(bot, 50_000);
  expect(bot.calls).toEqual([]);
  await pass(bot, 45_000);
  expect(bot.calls).toEqual(["sendMessage tea Ada 1 1", "sendMessage tea 李雷 1 2"]);
  expect(bot.payloads.map(({ chat_id }) => chat_id)).toEqual([ada.id, group.id]);
});

test("a key replaces what waits in its chat, and takes it away", async () => {
  const bot = new TimedBot(reminding);
  const { say } = await bot.start();
  await say(said(ada, "in 30 first k"));
  await say(said(li, "in 30 other k"));
  await pass(bot, 1_000);
  await say(said(ada, "in 60 second k"));
  await pass(bot, 40_000);
  expect(bot.calls).toEqual(["sendMessage other 李雷 1 1"]);
  await pass(bot, 30_000);
  expect(bot.calls.at(-1)).toBe("sendMessage second Ada 1 2");
  await say(said(ada, "in 30 never k"));
  await say(said(ada, "cancel k"));
  await say(said(ada, "cancel k"));
  await pass(bot, 60_000);
  expect(bot.calls.slice(2)).toEqual([
    "sendMessage cancelled: true",
    "sendMessage cancelled: false",
  ]);
});

test("it waits for the updates of its chat before it, and others for it", async () => {
  const order: string[] = [];
  const bot = new TimedBot((telegraf, _session, { later }) => {
    const wait = (ms: number) => bot.clock.sleep(ms, new AbortController().signal);
    telegraf.use(
      later("task", async () => {
        order.push("task began");
        await wait(5_000);
        order.push("task ended");
      }),
    );
    telegraf.hears("ask", (ctx) => ctx.later(10_000, "task"));
    telegraf.hears("then", () => {
      order.push("then");
    });
  });
  const { say } = await bot.start();
  await say(said(ada, "ask"));
  await pass(bot, 12_000);
  await say(said(ada, "then"));
  await pass(bot, 10_000);
  expect(order).toEqual(["task began", "task ended", "then"]);
});

test("a handler that fails is tried again, and given up like an update", async () => {
  let attempts = 0;
  const bot = new TimedBot((telegraf, _session, { later }) => {
    telegraf.use(
      later("fails", () => {
        attempts += 1;
        throw new Error("always");
      }),
    );
    telegraf.hears("ask", (ctx) => ctx.later(1_000, "fails"));
  });
  const { deadLetters, say } = await bot.start();
  await say(said(ada, "ask"));
  await bot.clock.advance(120_000);
  expect(attempts).toBe(5);
  expect(await deadLetters()).toMatchObject([{ type: "task", reason: "attempts-exhausted" }]);
});

test("a handler that is gone after a deploy makes a dead letter that says so, and no loop", async () => {
  const bot = new TimedBot(reminding);
  const first = await bot.start();
  await first.say(said(ada, "in 60 tea a"));
  await pass(bot, 1_000);
  await first.stop();
  const second = await bot.start(() => {});
  await bot.clock.advance(60_000);
  const [letter] = await second.deadLetters();
  expect(letter).toMatchObject({ type: "task", reason: "refused", attempts: 1 });
  expect(letter?.errors[0]).toMatchObject({
    code: "TASK_UNKNOWN",
    message: expect.stringContaining('no later handler "remind" any more'),
  });
});

test("a handler that another one hides makes a dead letter that says where to put it", async () => {
  const bot = new TimedBot((telegraf, _session, { later }) => {
    telegraf.hears("ask", (ctx) => ctx.later(1_000, "hidden"));
    telegraf.use((ctx) => ctx.telegram.sendMessage(ada.id, "what?"));
    telegraf.use(later("hidden", () => {}));
  });
  const { deadLetters, say } = await bot.start();
  await say(said(ada, "ask"));
  await bot.clock.advance(5_000);
  expect((await deadLetters())[0]?.errors[0]?.message).toContain("was not reached");
  expect(bot.calls).toEqual([]);
});

test("a wizard can be given up in time: the handler stands in its stage", async () => {
  const bot = new TimedBot((telegraf, session, { later }) => {
    const own = telegraf as unknown as Telegraf<WizardContext>;
    const order = new Scenes.WizardScene<WizardContext>(
      "order",
      async (ctx) => {
        await ctx.reply("Your name?");
        ctx.later(60_000, "timeout", null, { key: "timeout" });
        ctx.wizard.next();
      },
      async (ctx) => {
        await ctx.cancelLater("timeout");
        await ctx.reply(`Thanks, ${ctx.text}`);
        await ctx.scene.leave();
      },
    );
    const stage = new Scenes.Stage<WizardContext>([order]);
    stage.use(
      later("timeout", async (ctx: WizardContext) => {
        await ctx.scene.leave();
        await ctx.reply("Too late.");
      }),
    );
    own.use(session() as never, stage.middleware());
    own.command("order", (ctx) => ctx.scene.enter("order"));
    own.on("text", (ctx) => ctx.reply("Nothing is asked."));
  });
  const { say } = await bot.start();
  await say(said(ada, "/order"));
  await pass(bot, 30_000);
  await say(said(ada, "Ada"));
  await pass(bot, 60_000);
  await say(said(ada, "/order"));
  await pass(bot, 61_000);
  await say(said(ada, "Ada"));
  await pass(bot, 1_000);
  expect(bot.calls).toEqual([
    "sendMessage Your name?",
    "sendMessage Thanks, Ada",
    "sendMessage Your name?",
    "sendMessage Too late.",
    "sendMessage Nothing is asked.",
  ]);
});

test.each([
  [[1_000, "nobody"], /^later: name: expected remind, received another text/],
  [[-1, "remind"], /^later: when: expected a number of milliseconds/],
  [[new Date("never"), "remind"], /received an invalid Date/],
  [[1_000, "remind", { now: new Date() }], /^later: remind\.now: expected plain JSON data/],
  [[1_000, "remind", "x".repeat(70_000)], /at most 65536 bytes/],
  [[1_000, "remind", null, { key: "" }], /^later: key: expected a Unicode text of 1 to 100/],
])("%j is refused in words", async (given, message) => {
  let thrown: unknown;
  const bot = new TimedBot((telegraf, _session, { later }) => {
    telegraf.use(later("remind", () => {}));
    telegraf.hears("go", (ctx) => {
      try {
        ctx.later(...(given as Parameters<BotContext["later"]>));
      } catch (error) {
        thrown = error;
      }
    });
  });
  const { say } = await bot.start();
  await say(said(ada, "go"));
  await pass(bot, 1_000);
  expect(thrown).toMatchObject({ code: "DATA_REFUSED", message: expect.stringMatching(message) });
});

test("a name is registered once", async () => {
  const twice: Routes = (telegraf, _session, { later }) => {
    telegraf.use(
      later("a", () => {}),
      later("a", () => {}),
    );
  };
  await expect(new TimedBot(twice).start()).rejects.toThrow("a name of its own");
});
