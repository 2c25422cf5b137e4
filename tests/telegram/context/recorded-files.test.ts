/**
 * Files in recorded calls: Buffers, streams and paths in every field reach Telegram whole and in order,
 * wherever the process dies, and nothing of them stays behind.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Telegraf } from "telegraf";
import { Input } from "telegraf";
import { expect, onTestFinished, test } from "vitest";
import type { BotApi } from "../../../bot/core/bot-api.ts";
import { FileGoneError, StorageFullError } from "../../../bot/core/errors.ts";
import type { FileStore, StoredFile } from "../../../bot/core/file-store.ts";
import type { RawUpdate } from "../../../bot/core/intake.ts";
import type { Json, JsonObject } from "../../../bot/core/message.ts";
import type { BotContext } from "../../../bot/kit/bot-context.ts";
import { SealedFiles } from "../../../bot/storage/files/sealed-files.ts";
import { toUpdateMessage } from "../../../bot/telegram/intake/update-message.ts";
import { ada, said } from "../../shop/commands/bot-under-test.ts";
import { bootDurableBot, withRoutes } from "../../support/durable-bot.ts";
import { QueueMachine, type QueueProcess } from "../../support/queue-under-test.ts";

type Handler = (ctx: BotContext) => Promise<unknown>;

interface Fate {
  readonly atCommit?: number;
  readonly reachedDisk?: boolean;
  readonly afterCall?: number;
}

/** Plays one update in a process that meets its fate, and then in one that lives. */
async function play(handler: Handler, fate: Fate = {}, wrap = (files: FileStore) => files) {
  const machine = new QueueMachine();
  const { clock, directory } = machine;
  const sent: string[] = [];
  let commits = 0;
  let codes: readonly string[] = [];
  const makeBot = withRoutes((bot: Telegraf<BotContext>) => {
    bot.command("go", handler);
  });
  let unconfirmed: RawUpdate | undefined = said(ada, "/go");
  const list = () => {
    const path = join(directory, "files");
    return existsSync(path) ? readdirSync(path) : [];
  };
  for (const life of [1, 2]) {
    let booted: QueueProcess | undefined;
    const store = { filesInUse: async () => (await booted?.store.filesInUse()) ?? [] };
    const files = new SealedFiles({
      ...{ clock, directory, store, publish: () => {} },
      totalBytesMax: 200_000_000,
      attemptMs: 60_000,
    });
    const api: BotApi = {
      call: async <T>(method: string, payload: JsonObject) => {
        sent.push(`${method} ${await contentsOf(payload, files)}`.trim());
        if (life === 1 && sent.length === fate.afterCall) {
          booted?.kill();
          return new Promise<never>(() => {});
        }
        return { message_id: sent.length } as T;
      },
    };
    const { atCommit = Number.POSITIVE_INFINITY, reachedDisk = true } = life === 1 ? fate : {};
    const plan = { atCommit, reachedDisk };
    booted = await bootDurableBot(machine, makeBot, api, plan, {
      files: wrap(files),
    } as never).catch(() => undefined);
    if (!booted) continue;
    const { commits: made, isDead, queue } = booted;
    const feed = async () => {
      await queue.start();
      if (unconfirmed) await queue.insertMessageByPriority([toUpdateMessage(unconfirmed, "42")]);
      unconfirmed = undefined;
    };
    feed().catch(() => {});
    const isAtRest = async () => {
      // A process that dies meanwhile has nothing more to do.
      const found = await queue.snapshot().catch(() => undefined);
      if (!found) return true;
      return Object.values(found.pools).every(({ inHand, waiting }) => inHand + waiting === 0);
    };
    // An idle queue commits every 10 s, and a full disk is asked every 5 s.
    for (let quiet = 0, last = -1; quiet < 4 && !isDead(); ) {
      await clock.advance(2_000);
      // Files are written by threads of their own, and a busy machine lets them wait.
      await new Promise((resolve) => setTimeout(resolve, 20));
      quiet = made() === last && (await isAtRest()) ? quiet + 1 : 0;
      last = made();
    }
    commits = made();
    const { store: open } = booted;
    const end = async () => {
      const letters = await open.deadLetters({ offset: 0, limit: 10 });
      codes = letters.flatMap(({ errors }) => errors.map(({ code }) => code));
      await clock.advance(60_000);
      await files.sweep();
      await files.sweep();
      await queue.stop();
      await open.close();
    };
    // With fewer commits than in the calm play, the one to die at comes only now.
    if (!isDead()) await end().catch((error) => isDead() || Promise.reject(error));
    if (isDead()) continue;
    break;
  }
  return { codes, commits, left: list(), sent };
}

/** The names and contents of all files in a call, in order. */
async function contentsOf(value: Json | undefined, files: SealedFiles): Promise<string> {
  if (typeof value !== "object" || value === null) return "";
  const { base64, file, filename, text } = value as JsonObject;
  if (typeof text === "string") return text;
  if (typeof base64 === "string") return `${filename}=${short(Buffer.from(base64, "base64"))}`;
  if (file) {
    const parts: Uint8Array[] = [];
    for await (const part of await files.open(file as unknown as StoredFile)) parts.push(part);
    return `${filename}=${short(Buffer.concat(parts))}`;
  }
  const all: string[] = [];
  for (const inner of Object.values(value)) all.push(await contentsOf(inner, files));
  return all.filter((text) => text !== "").join(" ");
}

function short(content: Buffer): string {
  return content.length < 30 ? content.toString() : `${content.subarray(0, 3)}*${content.length}`;
}

function fileOf(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), "to-send-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "report.txt");
  writeFileSync(path, content);
  return path;
}

const large = (letter: string, bytes = 100_000) => Buffer.alloc(bytes, letter);
const stream = (...parts: string[]) => Readable.from(parts.map((part) => Buffer.from(part)));

test("Buffers, streams and paths are sent whole and in order, wherever the process dies", {
  timeout: 120_000,
}, async () => {
  const path = fileOf("from a path");
  const handler: Handler = async (ctx) => {
    await ctx.replyWithDocument(Input.fromBuffer(large("a"), "a.bin"));
    // Not awaited: its place is that of the call.
    const late = ctx.replyWithDocument(
      Input.fromReadableStream(stream("from ", "a stream"), "s.txt"),
    );
    late.catch(() => {});
    await ctx.reply("in between");
    await late;
    await ctx.replyWithPhoto(Input.fromLocalFile(path), { caption: "x" });
    await ctx.replyWithMediaGroup([
      { type: "video", media: { source: large("v") }, thumbnail: { source: large("t", 20_000) } },
      { type: "photo", media: { source: Buffer.from("small") } },
    ] as never);
  };
  const expected = [
    "sendDocument a.bin=aaa*100000",
    "sendDocument s.txt=from a stream",
    "sendMessage in between",
    "sendPhoto report.txt=from a path",
    "sendMediaGroup video.mp4=vvv*100000 thumbnail.jpg=ttt*20000 photo.jpg=small",
  ];
  const calm = await play(handler);
  expect(calm).toMatchObject({ codes: [], left: [], sent: expected });
  const fates: Fate[] = [
    ...expected.map((_, index) => ({ afterCall: index + 1 })),
    ...Array.from({ length: calm.commits }, (_, index) => index + 1).flatMap((atCommit) => [
      { atCommit, reachedDisk: true },
      { atCommit, reachedDisk: false },
    ]),
  ];
  for (const fate of fates) {
    const { codes, left, sent } = await play(handler, fate);
    expect([...new Set(sent)], JSON.stringify(fate)).toEqual(expected);
    expect({ codes, left }, JSON.stringify(fate)).toEqual({ codes: [], left: [] });
  }
});

test("a file may be gone once its call is recorded", async () => {
  const path = fileOf("from a path");
  const { sent } = await play(async (ctx) => {
    await ctx.replyWithDocument({ source: path });
    rmSync(path);
  });
  expect(sent).toEqual(["sendDocument report.txt=from a path"]);
});

test("a stream that fails is a failed attempt, and the next one sends it", async () => {
  let attempts = 0;
  const { codes, left, sent } = await play(async (ctx) => {
    attempts += 1;
    await ctx.reply("once");
    await ctx.replyWithDocument({
      source: attempts === 1 ? failing() : stream("whole"),
      filename: "f",
    });
  });
  expect(attempts).toBe(2);
  expect(sent).toEqual(["sendMessage once", "sendDocument f=whole"]);
  expect({ codes, left }).toEqual({ codes: [], left: [] });
});

function failing(): Readable {
  return new Readable({
    read() {
      this.destroy(new Error("the other side hung up"));
    },
  });
}

test("a stream that has failed before it is read is a failed attempt, not the end of the process", async () => {
  const { codes } = await play(async (ctx) => {
    const broken = failing();
    const sending = [
      ctx.replyWithDocument({ source: large("x"), filename: "x" }),
      ctx.replyWithMediaGroup([
        { type: "document", media: { source: large("y") } },
        { type: "document", media: { source: broken } },
      ]),
    ];
    broken.resume();
    await Promise.all(sending);
  });
  expect(new Set(codes)).toEqual(new Set(["FILE_UNREADABLE"]));
});

test("a handler may answer for a file that cannot be read", async () => {
  const { codes, sent } = await play(async (ctx) => {
    await ctx.replyWithDocument({ source: "/nonexistent/x" }).catch(() => ctx.reply("sorry"));
  });
  expect({ codes, sent }).toEqual({ codes: [], sent: ["sendMessage sorry"] });
});

test.each<[string, Handler, string]>([
  [
    "a photo of more than 10 MB",
    (ctx) => ctx.replyWithPhoto({ source: large("p", 10_000_001) }),
    "FILE_TOO_LARGE",
  ],
  [
    "a path to nothing",
    (ctx) => ctx.replyWithDocument({ source: "/nonexistent/x" }),
    "FILE_UNREADABLE",
  ],
  [
    "a stream inside a transaction",
    (ctx) =>
      ctx.transaction(async () => void (await ctx.replyWithDocument({ source: stream("x") }))),
    "CALL_UNRECORDABLE",
  ],
])("%s fails the attempt, and leaves nothing behind", async (_, handler, code) => {
  const { codes, left, sent } = await play(handler);
  expect(new Set(codes)).toEqual(new Set([code]));
  expect({ left, sent }).toEqual({ left: [], sent: [] });
});

test("a Buffer inside a transaction is part of its commit", async () => {
  const { sent } = await play((ctx) =>
    ctx.transaction(
      async () => void (await ctx.replyWithDocument({ source: large("x", 700_000) })),
    ),
  );
  expect(sent).toEqual(["sendDocument document.dat=xxx*700000"]);
});

test("a full disk spends no attempts", async () => {
  let puts = 0;
  const { codes, sent } = await play(
    (ctx) => ctx.replyWithDocument({ source: large("x"), filename: "x" }),
    {},
    (files) => ({
      open: (file) => files.open(file),
      put: async (content, options) => {
        puts += 1;
        if (puts < 8) throw new StorageFullError("full");
        return files.put(content, options);
      },
    }),
  );
  expect({ codes, sent }).toEqual({ codes: [], sent: ["sendDocument x=xxx*100000"] });
});

test("a file that is gone when its call is made says what to do", async () => {
  const error = new FileGoneError("0123456789abcdef");
  expect(error.hint).toContain("Backups do not hold files");
  expect(error.transient).toBe(false);
});

test("ctx.now sends files too", async () => {
  const { left, sent } = await play((ctx) =>
    ctx.now.sendDocument(ada.id, { source: stream("at ", "once"), filename: "n" }),
  );
  expect({ left, sent }).toEqual({ left: [], sent: ["sendDocument n=at once"] });
});
