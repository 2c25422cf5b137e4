/**
 * References to messages that are not sent yet: edits, deletes, pins and replies reach the right
 * message, in the same update and in a later one, wherever the process dies.
 */
import { expect, test } from "vitest";
import type { BotApi } from "../../../bot/core/bot-api.ts";
import { CallRefusedError, CallUnknownError, NotSentYetError } from "../../../bot/core/errors.ts";
import type { RawUpdate } from "../../../bot/core/intake.ts";
import type { JsonObject } from "../../../bot/core/message.ts";
import { isReference, referencesIn } from "../../../bot/core/message-reference.ts";
import type { BotContext } from "../../../bot/kit/bot-context.ts";
import { toUpdateMessage } from "../../../bot/telegram/intake/update-message.ts";
import { ada, said } from "../../shop/commands/bot-under-test.ts";
import { bootDurableBot, withRoutes } from "../../support/durable-bot.ts";
import { QueueMachine, type QueueProcess } from "../../support/queue-under-test.ts";

/** Telegram with messages: gives out ids, and knows what was done to which message. */
class FakeTelegram {
  readonly texts = new Map<number, string>();
  /** What was done to messages, named by their first text. */
  readonly done: string[] = [];
  calls = 0;

  call(method: string, payload: JsonObject): unknown {
    this.calls += 1;
    expect([...referencesIn(payload)], method).toEqual([]);
    if (method === "sendMediaGroup") return (payload["media"] as []).map(() => this.#send("album"));
    if (/^(send|copyMessage|forwardMessage)/.test(method)) {
      const text = String(payload["text"] ?? method).slice(0, 20);
      const reply = payload["reply_parameters"] as { message_id: number } | undefined;
      if (reply) this.done.push(`${text} replies to ${this.#name(reply.message_id)}`);
      if (payload["from_chat_id"]) {
        this.done.push(`${method} ${this.#name(payload["message_id"] as number)}`);
      }
      return this.#send(text);
    }
    const ids = (payload["message_ids"] ?? [payload["message_id"]]) as number[];
    const what = String(payload["text"] ?? payload["caption"] ?? "");
    for (const id of ids) this.done.push(`${method} ${this.#name(id)} ${what}`.trim());
    return true;
  }

  #send(text: string): { message_id: number } {
    const id = this.texts.size + 1_000;
    this.texts.set(id, text);
    return { message_id: id };
  }

  #name(id: number): string {
    const text = this.texts.get(id);
    if (text === undefined) throw new CallRefusedError("x", 400, `no message ${id}`);
    return text;
  }
}

interface Fate {
  readonly atCommit?: number;
  readonly reachedDisk?: boolean;
  /** The process dies after Telegram has executed this many calls, before the answer arrives. */
  readonly afterCall?: number;
}

type Handlers = Readonly<Record<string, (ctx: BotContext) => Promise<unknown>>>;

/** Plays one command after another in a process that meets its fate, and then in one that lives. */
async function play(handlers: Handlers, fate: Fate = {}) {
  const machine = new QueueMachine();
  const telegram = new FakeTelegram();
  const makeBot = withRoutes((bot) => {
    for (const [command, handler] of Object.entries(handlers)) bot.command(command, handler);
  });
  let unconfirmed: readonly RawUpdate[] = Object.keys(handlers).map((name) =>
    said(ada, `/${name}`),
  );
  let commits = 0;
  let letters: readonly string[] = [];
  for (const life of [1, 2]) {
    let booted: QueueProcess | undefined;
    const api: BotApi = {
      call: async <T>(method: string, payload: JsonObject) => {
        const result = telegram.call(method, payload);
        if (life === 1 && telegram.calls === fate.afterCall) {
          booted?.kill();
          return new Promise<never>(() => {});
        }
        return result as T;
      },
    };
    const { atCommit = Number.POSITIVE_INFINITY, reachedDisk = true } = life === 1 ? fate : {};
    booted = await bootDurableBot(machine, makeBot, api, { atCommit, reachedDisk }).catch(
      () => undefined,
    );
    if (!booted) continue;
    const { commits: made, isDead, queue, store } = booted;
    // Quiet is when nothing was committed for a second.
    const settle = async () => {
      for (let quiet = 0, last = -1; quiet < 2 && !isDead(); ) {
        await machine.clock.advance(500);
        quiet = made() === last ? quiet + 1 : 0;
        last = made();
      }
    };
    const feed = async () => {
      await queue.start();
      for (const update of unconfirmed) {
        await queue.insertMessageByPriority([toUpdateMessage(update, "42")]);
        unconfirmed = unconfirmed.filter((one) => one !== update);
        // The commands come one after the other, and what the first one said was sent meanwhile.
        await settle();
      }
    };
    await Promise.race([feed().catch(() => {}), settle()]);
    await settle();
    commits = booted.commits();
    if (isDead()) continue;
    const dead = await store.deadLetters({ offset: 0, limit: 10 });
    letters = dead.map(({ errors }) => errors.at(-1)?.message ?? "");
    await queue.stop();
    await store.close();
    break;
  }
  return { commits, done: telegram.done, letters, telegram };
}

/** Plays it undisturbed, then with a death at every commit and after every call. */
async function expectSurvival(handlers: () => Handlers, expected: readonly string[]) {
  const calm = await play(handlers());
  expect(calm.letters).toEqual([]);
  expect(calm.done).toEqual(expected);
  const fates: Fate[] = [
    ...Array.from({ length: calm.telegram.calls }, (_, index) => ({ afterCall: index + 1 })),
    ...Array.from({ length: calm.commits }, (_, index) => index + 1).flatMap((atCommit) => [
      { atCommit, reachedDisk: true },
      { atCommit, reachedDisk: false },
    ]),
  ];
  expect(fates.length).toBeGreaterThan(10);
  for (const fate of fates) {
    const { done, letters } = await play(handlers(), fate);
    expect(letters, JSON.stringify(fate)).toEqual([]);
    // A call that was under way when the process died is made again.
    expect([...new Set(done)].sort(), JSON.stringify(fate)).toEqual([...expected].sort());
  }
}

const album = [
  { type: "photo", media: "a" },
  { type: "photo", media: "b" },
] as const;

test("what is done to a reply reaches it, wherever the process dies", {
  timeout: 120_000,
}, async () => {
  await expectSurvival(
    () => ({
      go: async (ctx) => {
        const sent = await ctx.reply("first");
        const kept = await ctx.transaction(async () => (await ctx.reply("in a step")).message_id);
        await ctx.telegram.editMessageText(ada.id, sent.message_id, undefined, "edited");
        await ctx.telegram.editMessageText(ada.id, kept, undefined, "edited too");
        await ctx.pinChatMessage(sent.message_id);
        await ctx.reply("second", { reply_parameters: { message_id: sent.message_id } });
      },
    }),
    [
      "editMessageText first edited",
      "editMessageText in a step edited too",
      "pinChatMessage first",
      "second replies to first",
    ],
  );
});

test("albums and texts that are split have references, wherever the process dies", {
  timeout: 120_000,
}, async () => {
  await expectSurvival(
    () => ({
      go: async (ctx) => {
        const photos = await ctx.replyWithMediaGroup([...album]);
        expect(photos).toHaveLength(2);
        await ctx.telegram.editMessageCaption(ada.id, photos[1]?.message_id, undefined, "b");
        const long = await ctx.reply("words ".repeat(1_000));
        await ctx.telegram.deleteMessage(ada.id, long.message_id);
        const ids = [long.message_id, photos[0]?.message_id ?? 0];
        await ctx.telegram.deleteMessages(ada.id, ids);
      },
    }),
    [
      "editMessageCaption album b",
      "deleteMessage words words words wo",
      "deleteMessages words words words wo",
      "deleteMessages album",
    ],
  );
});

test("a reference that was kept is good in a later update", { timeout: 120_000 }, async () => {
  await expectSurvival(() => {
    const session: { id?: number } = {};
    return {
      ask: async (ctx) => {
        session.id = (await ctx.reply("question")).message_id;
      },
      answer: async (ctx) => {
        const id = session.id as number;
        await ctx.telegram.editMessageText(ada.id, id, undefined, "answered");
        await ctx.telegram.forwardMessage(77, ada.id, id);
        await ctx.reply("well", { reply_parameters: { message_id: id } });
      },
    };
  }, [
    "editMessageText question answered",
    "forwardMessage question",
    "well replies to question",
  ].sort());
});

test("an answer that is streamed by edits shows its end, and edits that wait are one", async () => {
  const { done, telegram } = await play({
    go: async (ctx) => {
      const sent = await ctx.reply("…");
      let text = "";
      for (const word of ["all", " my", " words"]) {
        text += word;
        await ctx.telegram.editMessageText(ada.id, sent.message_id, undefined, text);
      }
    },
  });
  expect(done).toEqual(["editMessageText … all my words"]);
  expect(telegram.calls).toBe(2);
});

test("what refers to a message that was given up is given up as well, and names it", async () => {
  const { done, letters } = await play({
    go: async (ctx) => {
      const sent = await ctx.reply("never", { reply_parameters: { message_id: 5 } });
      await ctx.telegram.editMessageText(ada.id, sent.message_id, undefined, "edited");
      await ctx.reply("the chat goes on");
      await ctx.telegram.deleteMessage(ada.id, sent.message_id);
    },
  });
  expect(done).toEqual([]);
  expect(letters).toHaveLength(3);
  expect(letters.filter((text) => /refers to is dead letter \d+/.test(text))).toHaveLength(2);
});

test("a call to another chat waits for the message that it refers to", async () => {
  const machine = new QueueMachine();
  const seen: string[] = [];
  let reachable = false;
  const api: BotApi = {
    call: async <T>(method: string, payload: JsonObject) => {
      if (payload["chat_id"] === ada.id && !reachable) throw new CallUnknownError("502");
      seen.push(`${method} ${payload["message_id"] ?? ""}`.trim());
      return { message_id: 5 } as T;
    },
  };
  const makeBot = withRoutes((bot) => {
    bot.command("go", async (ctx) => {
      const sent = await ctx.reply("first");
      await ctx.telegram.copyMessage(77, ada.id, sent.message_id);
    });
  });
  const { queue } = await bootDurableBot(machine, makeBot, api);
  await queue.start();
  await queue.insertMessageByPriority([toUpdateMessage(said(ada, "/go"), "42")]);
  await machine.clock.advance(1_000);
  expect(seen).toEqual([]);
  reachable = true;
  await machine.clock.advance(30_000);
  expect(seen).toEqual(["sendMessage", "copyMessage 5"]);
});

test("a dead letter that was put back before the one that it refers to is given up at once", async () => {
  const machine = new QueueMachine();
  let broken = true;
  const api: BotApi = {
    call: async <T>(method: string) => {
      if (broken) throw new CallRefusedError(method, 400, "no");
      return { message_id: 5 } as T;
    },
  };
  const makeBot = withRoutes((bot) => {
    bot.command("go", async (ctx) => {
      const sent = await ctx.reply("first");
      await ctx.telegram.deleteMessage(ada.id, sent.message_id);
    });
  });
  const { queue, store } = await bootDurableBot(machine, makeBot, api);
  await queue.start();
  await queue.insertMessageByPriority([toUpdateMessage(said(ada, "/go"), "42")]);
  await machine.clock.advance(1_000);
  const letters = async () => (await store.deadLetters({ offset: 0, limit: 10 })).map((l) => l.id);
  const [deletion = 0, first = 0] = await letters();
  broken = false;
  await queue.pause("sending");
  await queue.requeue(deletion);
  await queue.requeue(first);
  await queue.resume("sending");
  await machine.clock.advance(10_000);
  const left = await letters();
  expect(left).toHaveLength(1);
  await queue.requeue(left[0] ?? 0);
  await machine.clock.advance(10_000);
  expect(await letters()).toEqual([]);
});

test("ctx.now uses references too, and an unknown one is refused", async () => {
  let error: unknown;
  const { done } = await play({
    ask: async (ctx) => {
      kept = (await ctx.reply("question")).message_id;
    },
    now: async (ctx) => {
      await ctx.now.editMessageText(ada.id, kept, undefined, "at once");
      error = await ctx.now.deleteMessage(ada.id, kept + 1).catch((reason: unknown) => reason);
    },
  });
  expect(done).toEqual(["editMessageText question at once"]);
  expect(error).toMatchObject({ code: "REFERENCE_LOST" });
});
let kept = 0;

test("only the id of a message to come can be read, and only in time", async () => {
  const errors: unknown[] = [];
  const attempt = (read: () => unknown) => {
    try {
      return read();
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  };
  await play({
    go: async (ctx) => {
      const sent = await ctx.reply("x");
      expect(isReference(sent.message_id)).toBe(true);
      expect(sent.message_id).toBe(sent.message_id);
      expect(isReference((await ctx.reply("y")).message_id)).toBe(true);
      attempt(() => sent.chat);
      const action = await ctx.telegram.callApi("sendChatAction", { chat_id: 5, action: "typing" });
      attempt(() => (action as unknown as { message_id: number }).message_id);
      const late = await ctx.transaction(async () => {
        inStep = await ctx.reply("in a step");
      });
      attempt(() => (inStep as { message_id: number }).message_id);
      const edited = await ctx.telegram.editMessageText(ada.id, 7, undefined, "z");
      expect((edited as { message_id: number }).message_id).toBe(7);
      return late;
    },
  });
  expect(errors).toHaveLength(3);
  for (const error of errors) expect(error).toBeInstanceOf(NotSentYetError);
  expect(String(errors[2])).toContain("before the commit");
});
let inStep: unknown;
