/**
 * Sessions: what Telegraf's `session()` and scenes do, they do here as well, and a death at any point
 * changes nothing.
 */
import fc from "fast-check";
import { type Context, Scenes, type Telegraf, session as telegrafSession } from "telegraf";
import { expect, test } from "vitest";
import type { BotApi } from "../../bot/core/bot-api.ts";
import type { RawUpdate } from "../../bot/core/intake.ts";
import type { BotContext } from "../../bot/kit/bot-context.ts";
import { deleteSessions, type MakeSession } from "../../bot/kit/session.ts";
import { toUpdateMessage } from "../../bot/telegram/intake/update-message.ts";
import { ada, group, li, pressed, said } from "../shop/commands/bot-under-test.ts";
import { bootDurableBot, sessionsKeepMs, withRoutes } from "../support/durable-bot.ts";
import { QueueMachine } from "../support/queue-under-test.ts";
import { expectSurvival, replies } from "../support/survival.ts";

// biome-ignore lint/suspicious/noExplicitAny: each test has a session of its own shape.
type AnySession = any;

/** A context as an author of scenes declares it, with our methods. */
interface SceneContext extends BotContext {
  session: AnySession;
  settings?: unknown;
  none?: unknown;
  scene: Scenes.SceneContextScene<SceneContext, Scenes.WizardSessionData>;
  wizard: Scenes.WizardContextWizard<SceneContext>;
}

type AuthorBot = Telegraf<SceneContext>;
const SceneStage = Scenes.Stage<SceneContext, Scenes.WizardSessionData>;

/** Makes a bot whose context has sessions and scenes. */
function botOf(routes: (bot: AuthorBot, session: MakeSession) => void) {
  return withRoutes((bot, session) => routes(bot as unknown as AuthorBot, session));
}

// ---- examples of Telegraf's own documents ---------------------------------------------------------

function counter(bot: AuthorBot, session: MakeSession): void {
  bot.use(session({ defaultSession: () => ({ count: 0 }) }));
  bot.on("message", async (ctx) => {
    ctx.session.count++;
    await ctx.reply(`${ctx.session.count} messages`);
  });
}

function scenes(bot: AuthorBot, session: MakeSession): void {
  const greeter = new Scenes.BaseScene<SceneContext>("greeter");
  greeter.enter((ctx) => ctx.reply("Hi"));
  greeter.leave((ctx) => ctx.reply("Bye"));
  greeter.hears("hi", Scenes.Stage.enter<SceneContext>("greeter"));
  greeter.on("message", (ctx) => ctx.reply("Send `hi`"));
  const echo = new Scenes.BaseScene<SceneContext>("echo");
  echo.enter((ctx) => ctx.reply("echo scene"));
  echo.leave((ctx) => ctx.reply("exiting echo scene"));
  echo.command("back", Scenes.Stage.leave<SceneContext>());
  echo.on("text", (ctx) => ctx.reply(ctx.message.text));
  const stage = new SceneStage([greeter, echo]);
  bot.use(session());
  bot.use(stage.middleware());
  bot.command("greeter", (ctx) => ctx.scene.enter("greeter"));
  bot.command("echo", (ctx) => ctx.scene.enter("echo", { from: "command" }));
  bot.on("message", (ctx) => ctx.reply("Try /echo or /greeter"));
}

function wizard(bot: AuthorBot, session: MakeSession): void {
  const order = new Scenes.WizardScene<SceneContext>(
    "order",
    async (ctx) => {
      await ctx.reply("Your name?");
      return ctx.wizard.next();
    },
    async (ctx) => {
      Object.assign(ctx.wizard.state, { name: ctx.text });
      await ctx.reply("Tea or coffee?");
      return ctx.wizard.next();
    },
    async (ctx) => {
      if (ctx.text !== "tea" && ctx.text !== "coffee") return ctx.reply("Only these two.");
      const { name } = ctx.wizard.state as { name: string };
      const total = await ctx.transaction(async ({ documents }) => {
        const before = (await documents.get<number>("notes", "orders")) ?? 0;
        await documents.put("notes", "orders", before + 1);
        return before + 1;
      });
      await ctx.reply(`${ctx.text} for ${name}, order ${total}`);
      return ctx.scene.leave();
    },
  );
  const stage = new SceneStage([order]);
  bot.use(session(), stage.middleware());
  bot.command("order", (ctx) => ctx.scene.enter("order"));
  bot.action("order", async (ctx) => {
    await ctx.answerCbQuery();
    await ctx.scene.enter("order");
  });
}

const says = (...texts: readonly string[]) => texts.map((text) => said(ada, text));

/** No two replies in a row are equal: the second would pass for a repetition after a death. */
const sceneUpdates = says("x", "/echo", "z", "/back", "/greeter", "hi", "y");

test.each([
  ["a counter", counter, says("a", "b", "c")],
  ["scenes", scenes, sceneUpdates],
  ["a wizard", wizard, [...says("/order", "Ada", "milk", "tea"), pressed(ada, "order")]],
])("%s behaves as with Telegraf's own session", async (_, routes, updates) => {
  const inMemory = botOf((bot) => routes(bot, telegrafSession as unknown as MakeSession));
  const expected = await replies({ makeBot: inMemory, updates });
  expect(expected.length).toBeGreaterThan(2);
  expect(await replies({ makeBot: botOf(routes), updates })).toEqual(expected);
});

test.each([
  ["a counter", counter, says("a", "b", "c")],
  ["scenes", scenes, sceneUpdates],
  ["a wizard", wizard, says("/order", "Ada", "milk", "tea", "/order")],
])(
  "%s ends as if nothing had happened when the process dies at any commit",
  {
    timeout: 120_000,
  },
  async (_, routes, updates) => {
    const { data } = await expectSurvival({ makeBot: botOf(routes), updates });
    expect(data).toMatchObject({ sessions: [{ key: `${ada.id}:${ada.id}|session` }] });
  },
);

test("what is added by onDone is written once, with the replies and the session", {
  timeout: 60_000,
}, async () => {
  const makeBot = botOf((bot, session) => {
    bot.use(session({ defaultSession: () => ({ said: [] }) }));
    bot.on("text", async (ctx) => {
      const { text } = ctx.message;
      ctx.onDone(async ({ documents }) => {
        const before = (await documents.get<string[]>("notes", "all")) ?? [];
        await documents.put("notes", "all", [...before, text]);
      });
      await ctx.reply(`after ${ctx.session.said.length}`);
      ctx.session.said.push(text);
    });
  });
  const { data } = await expectSurvival({ makeBot, updates: says("a", "b", "c") });
  expect(data).toMatchObject({
    notes: [{ key: "all", value: ["a", "b", "c"] }],
    sessions: [{ data: { said: ["a", "b", "c"] } }],
  });
});

test("any conversation goes as with Telegraf's own session", { timeout: 60_000 }, async () => {
  const words = ["/order", "/echo", "/greeter", "/back", "hi", "tea", "milk"];
  const script = fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(scenes, wizard), script, async (routes, texts) => {
      const updates = says(...texts);
      const inMemory = botOf((bot) => routes(bot, telegrafSession as unknown as MakeSession));
      const expected = await replies({ makeBot: inMemory, updates });
      expect(await replies({ makeBot: botOf(routes), updates })).toEqual(expected);
    }),
    { numRuns: 20 },
  );
});

// ---- attempts ---------------------------------------------------------------------------------------

/** Runs a bot in one process; `say` has updates handled, and `texts` are its replies. */
async function setup(routes: (bot: AuthorBot, session: MakeSession) => void) {
  const machine = new QueueMachine();
  const texts: string[] = [];
  const api: BotApi = {
    call: async <T>(_: string, payload: object) => {
      texts.push(String((payload as { text?: string }).text));
      return true as T;
    },
  };
  const process = await bootDurableBot(machine, botOf(routes), api);
  await process.queue.start();
  const say = async (...updates: readonly RawUpdate[]) => {
    const messages = updates.map((update) => toUpdateMessage(update, "42"));
    await process.queue.insertMessageByPriority(messages);
    await machine.clock.advance(20_000);
  };
  const sessions = async () => {
    const read = process.store.transaction(({ documents }) =>
      documents.list<{ data: unknown }>("kit:session"),
    );
    return Object.fromEntries((await read).map(({ key, value }) => [key, value.data]));
  };
  return { ...process, clock: machine.clock, say, sessions, texts };
}

const adas = `${ada.id}:${ada.id}|session`;

test("a handler that throws changes nothing, and its next attempt sees the session as it was", async () => {
  let failures = 2;
  const bot = await setup((bot, session) => {
    bot.use(session({ defaultSession: () => ({ items: [] }) }));
    bot.on("text", async (ctx) => {
      ctx.session.items.push(ctx.text);
      await ctx.reply(ctx.session.items.join());
      if (failures-- > 0) throw new Error("no");
    });
  });
  await bot.say(...says("a", "b"));
  expect(bot.texts).toEqual(["a", "a,b"]);
  expect(await bot.sessions()).toEqual({ [adas]: { items: ["a", "b"] } });
});

test("an attempt that was given up leaves nothing behind in the session", async () => {
  let hung: SceneContext | undefined;
  const bot = await setup((bot, session) => {
    bot.use(session({ defaultSession: () => ({ items: [] }) }));
    bot.on("text", async (ctx) => {
      ctx.session.items.push(ctx.text);
      if (!hung) {
        hung = ctx;
        await new Promise(() => {});
      }
      hung.session.items.push("late");
      await ctx.reply(ctx.session.items.join());
    });
  });
  await bot.say(...says("a"));
  await bot.clock.advance(30_000);
  await bot.say(...says("b"));
  expect(bot.texts).toEqual(["a", "a,b"]);
  expect(await bot.sessions()).toEqual({ [adas]: { items: ["a", "b"] } });
});

test("updates of two chats that change one session at the same time are both kept", async () => {
  let running = 0;
  let together = 0;
  const bot = await setup((author, session) => {
    author.use(
      session({
        getSessionKey: (ctx: Context) => ctx.from && String(ctx.from.id),
        defaultSession: () => ({ count: 0 }),
      }),
    );
    author.on("text", async (ctx) => {
      ctx.session.count++;
      together = Math.max(together, ++running);
      await bot.clock.sleep(100, new AbortController().signal);
      running--;
      await ctx.reply(`${ctx.session.count}`);
    });
  });
  await bot.say(said(ada, "a"), said(ada, "b", group), said(ada, "c"), said(ada, "d", group));
  expect(together).toBe(2);
  expect(bot.texts.toSorted()).toEqual(["1", "2", "3", "4"]);
  expect(await bot.sessions()).toEqual({ [`${ada.id}|session`]: { count: 4 } });
  const retries = bot.events.filter(({ type }) => type === "message.retry-scheduled");
  expect(retries).not.toEqual([]);
  expect(retries).toEqual(
    retries.map(() =>
      expect.objectContaining({ error: expect.objectContaining({ code: "SESSION_CONFLICT" }) }),
    ),
  );
});

/** As much as fits into `{"cart":["…"]}`. */
const longestText = 65_536 - 128 - 13;

test("a session that is no plain data is refused with the place, and the old one stays", async () => {
  const bot = await setup((bot, session) => {
    bot.use(session({ defaultSession: () => ({ cart: [] }) }));
    bot.hears("bad", (ctx) => {
      ctx.session.cart[1] = { price: 1n };
    });
    bot.hears("longest", (ctx) => {
      ctx.session.cart[0] = "x".repeat(longestText);
    });
    bot.hears("long", (ctx) => {
      ctx.session.cart[0] = "x".repeat(longestText + 1);
    });
    bot.on("text", (ctx) => {
      ctx.session.cart[0] = ctx.text;
    });
  });
  await bot.say(...says("longest", "bad", "long"));
  await bot.clock.advance(60_000);
  const dead = await bot.store.deadLetters({ offset: 0, limit: 10 });
  expect(dead.map(({ errors }) => errors.at(-1))).toEqual([
    expect.objectContaining({
      code: "DATA_REFUSED",
      message: expect.stringMatching(
        /session: expected at most \d+ bytes of JSON, received \d+ bytes/,
      ),
    }),
    expect.objectContaining({
      code: "DATA_REFUSED",
      message: expect.stringContaining(
        "session.cart[1].price: expected plain JSON data, received a bigint",
      ),
    }),
  ]);
  expect(await bot.sessions()).toEqual({ [adas]: { cart: ["x".repeat(longestText)] } });
});

// ---- keys, life and deletion --------------------------------------------------------------------

test("people, chats and properties have sessions of their own; a key that is undefined has none", async () => {
  const bot = await setup((bot, session) => {
    bot.use(session());
    bot.use(
      session({
        property: "settings",
        getSessionKey: (ctx: Context) => ctx.chat && `chat:${ctx.chat.id}`,
      }),
    );
    bot.use(session({ property: "none", getSessionKey: () => undefined }));
    bot.on("text", async (ctx) => {
      expect("none" in ctx).toBe(true);
      expect(ctx.none).toBeUndefined();
      expect(ctx.settings).toBe(ctx.text === "d" ? "a" : undefined);
      ctx.session = [...(ctx.session ?? []), ctx.text];
      ctx.settings ??= ctx.text;
    });
  });
  await bot.say(said(ada, "a"), said(li, "b"), said(ada, "c", group), said(ada, "d"));
  expect(await bot.sessions()).toEqual({
    [adas]: ["a", "d"],
    [`${li.id}:${li.id}|session`]: ["b"],
    [`${ada.id}:${group.id}|session`]: ["c"],
    [`chat:${ada.id}|settings`]: "a",
    [`chat:${li.id}|settings`]: "b",
    [`chat:${group.id}|settings`]: "c",
  });
  expect((await bot.queue.snapshot()).counts).toMatchObject({ dead: 0, done: 4 });
});

test("a session is deleted by undefined, by its owner, and when no update has used it for long", async () => {
  const bot = await setup((bot, session) => {
    bot.use(session());
    bot.hears("look", async (ctx) => {
      await ctx.reply(JSON.stringify(ctx.session ?? "nothing"));
    });
    bot.hears("forget", async (ctx) => {
      await ctx.transaction((tx) => deleteSessions(tx, ctx.from.id));
      ctx.session = undefined;
    });
    bot.hears("delete", async (ctx) => {
      ctx.session = undefined;
    });
    bot.on("text", (ctx) => {
      ctx.session = { said: ctx.text };
    });
  });
  await bot.say(...says("a", "delete", "look", "b", "look"));
  expect(bot.texts).toEqual(['"nothing"', '{"said":"b"}']);
  await bot.say(said(ada, "in a group", group), said(li, "mine"));
  await bot.say(said(ada, "forget"));
  expect(await bot.sessions()).toEqual({ [`${li.id}:${li.id}|session`]: { said: "mine" } });
  expect((await bot.queue.snapshot()).counts).toMatchObject({ retried: 0 });
  await bot.clock.advance(sessionsKeepMs - 3_600_000);
  await bot.say(said(li, "look"));
  await bot.clock.advance(sessionsKeepMs - 3_600_000);
  expect(Object.keys(await bot.sessions())).toHaveLength(1);
  await bot.clock.advance(2 * 3_600_000);
  expect(await bot.sessions()).toEqual({});
});

test("a foreign session store of Telegraf's own middleware keeps working", async () => {
  const store = new Map<string, { count: number }>();
  const bot = await setup((bot) => {
    counter(bot, ((options: object) => telegrafSession({ ...options, store })) as never);
  });
  await bot.say(...says("a", "b"));
  expect(bot.texts).toEqual(["1 messages", "2 messages"]);
  expect(store.get(`${ada.id}:${ada.id}`)).toEqual({ count: 2 });
});
