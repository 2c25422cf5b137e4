/**
 * Play: one conversation with a bot, in which its process may die once.
 *
 * Queue, store, delivery and handlers are the real ones, on simulated time, the simulated disk and the
 * sandbox. Each step runs until nothing is left to do, so a play takes milliseconds.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FaultToleranceConfig, parseConfig } from "../../bot/config/fault-tolerance-config.ts";
import { systemClock } from "../../bot/core/clock.ts";
import { BotError } from "../../bot/core/errors.ts";
import { EventBus } from "../../bot/core/event-bus.ts";
import { Holds } from "../../bot/core/holds.ts";
import type { Json } from "../../bot/core/message.ts";
import { Secret } from "../../bot/core/secret.ts";
import { createHandledBot, createQueue } from "../../bot/enhanced-launcher/handling.ts";
import { createOperations } from "../../bot/enhanced-launcher/operations.ts";
import { createSending } from "../../bot/enhanced-launcher/sending.ts";
import { SealedFiles } from "../../bot/storage/files/sealed-files.ts";
import { RowReader } from "../../bot/storage/sqlite/row-reader.ts";
import { SqliteStore } from "../../bot/storage/sqlite/sqlite-store.ts";
import type { Identity } from "../../bot/telegram/client/identity.ts";
import {
  allowedUpdatesWith,
  parseUpdate,
  toUpdateMessage,
} from "../../bot/telegram/intake/update-message.ts";
import { toActMessage } from "../../bot/telegram/mini-app/mini-app-requests.ts";
import type { MessageQueue } from "../../bot/utils/message-queue.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { crashAsPlanned, SimulatedDisk } from "../simulation/simulated-disk.ts";
import { simulatedKeys } from "../simulation/simulated-process.ts";
import { Thread, VirtualTime } from "../simulation/virtual-time.ts";
import type { MakeModule } from "./fresh-module.ts";
import {
  comparable,
  directCalls,
  type MadeCall,
  PlayedTelegram,
  playEpochMs,
  realPause,
} from "./played-telegram.ts";
import { describeStep, type Script, type Step } from "./script.ts";

/** Where the process dies. */
export type Death =
  /** Telegram has executed this call, and its answer never arrives. */
  | { readonly at: "call"; readonly number: number }
  /** At this commit, which may still have reached the disk. */
  | { readonly at: "commit"; readonly number: number; readonly reachedDisk: boolean };

export interface Played {
  readonly made: readonly MadeCall[];
  /** Calls and commits of the first life. */
  readonly calls: number;
  readonly commits: number;
  /** The rows of every table that a bot's data are in, each as one text. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** What was given up, with its last error. */
  readonly deadLetters: readonly string[];
  /** The step during which the process died. */
  readonly diedAtStep: number | undefined;
}

/** The conversation cannot go on: a button is missing, or a step never ends. */
export class PlayError extends BotError {
  override readonly code = "CRASH_TEST_STUCK";
  override readonly transient = false;
}

/** In memory if there is a memory file system, because only the order of writes matters here. */
const temporary = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const token = new Secret(sandboxToken);
const botId = sandboxToken.split(":")[0] ?? "";
/** Each step begins at a minute of its own, so that instants can be compared. */
const stepMs = 60_000;
const turnMs = 20;
/** After so many turns a step waits for something real. */
const quickTurns = 60;
/** Real milliseconds after which a step counts as endless. */
const stepMsMax = 20_000;
const livesMax = 5;
/** Tables of the engine's own work: what is queued, remembered and counted is not the bot's data. */
const engineTables =
  /^(?:sqlite_|boots$|data_keys$|dead_letters$|dedupe$|lanes$|messages$|migrations$|sent$|settings$|steps$|table_set_migrations$|unreachable_chats$|in_hand$|facts$|message_references$|message_files$)/;

interface Life {
  readonly thread: Thread;
  readonly queue: MessageQueue;
  readonly store: SqliteStore;
  readonly disk: SimulatedDisk;
  readonly identity: Identity;
  readonly updateKinds: readonly string[];
}

export class Play {
  readonly #make: MakeModule;
  readonly #script: Script;
  readonly #env: Readonly<Record<string, string>>;
  readonly #death: Death | undefined;
  readonly #directory = mkdtempSync(join(temporary, "crash-test-"));
  readonly #time = new VirtualTime(() => 0);
  readonly #telegram = new PlayedTelegram();
  readonly #deadLetters: string[] = [];
  #lives = 0;
  #commits = 0;
  #calls = 0;
  #step = 0;
  #acted = false;
  #offset = 0;
  #diedAtStep: number | undefined;

  constructor(
    make: MakeModule,
    script: Script,
    env: Readonly<Record<string, string>>,
    death: Death | undefined,
  ) {
    this.#make = make;
    this.#script = script;
    this.#env = env;
    this.#death = death;
    this.#time.epochAtZeroMs = playEpochMs;
  }

  /** @throws {PlayError} when the conversation cannot go on. */
  async run(): Promise<Played> {
    try {
      for (const { from = 7 } of this.#script) {
        this.#telegram.sandbox.control.createUser({
          id: from,
          firstName: `Person ${from}`,
          started: true,
        });
      }
      await this.#telegram.listen();
      while (this.#step < this.#script.length) {
        if (++this.#lives > livesMax) throw new PlayError("the bot dies again and again");
        await this.#live();
      }
      return {
        made: this.#telegram.made,
        calls: this.#calls,
        commits: this.#commits,
        tables: this.#readTables(),
        deadLetters: this.#deadLetters,
        diedAtStep: this.#diedAtStep,
      };
    } finally {
      await this.#telegram.sandbox.stop();
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }

  /** One process: from its start to its death, or to the end of the script. */
  async #live(): Promise<void> {
    const life = await this.#boot();
    if (!life) return this.#died();
    const { disk, identity, queue, store, thread } = life;
    await this.#settled(queue.start(), thread);
    while (this.#step < this.#script.length && !thread.dead) {
      await this.#act(this.#script[this.#step] as Step, life);
      if (thread.dead) break;
      this.#step++;
      this.#acted = false;
    }
    if (this.#lives === 1) {
      this.#commits = disk.commits;
      this.#calls = this.#telegram.calls;
    }
    if (thread.dead) return this.#died();
    const letters = await this.#settled(store.deadLetters({ offset: 0, limit: 100 }), thread);
    for (const { errors, type } of letters ?? []) {
      const [error] = errors.slice(-1);
      this.#deadLetters.push(`${type}: ${error?.code ?? "?"} ${error?.message ?? ""}`);
    }
    await this.#settled(
      queue
        .stop()
        .then(() => identity.stop())
        .then(() => store.close()),
      thread,
    );
    thread.dead = true;
  }

  #died(): void {
    this.#diedAtStep ??= this.#step;
  }

  async #boot(): Promise<Life | undefined> {
    const module = await this.#make();
    const thread = new Thread(this.#time, () => 0);
    const death = this.#lives === 1 ? this.#death : undefined;
    const none = { atCommit: Number.POSITIVE_INFINITY, reachedDisk: true };
    const plan =
      death?.at === "commit" ? { atCommit: death.number, reachedDisk: death.reachedDisk } : none;
    const disk = new SimulatedDisk(crashAsPlanned(plan), () => {
      thread.dead = true;
    });
    const config = this.#config(module.settings);
    const bus = new EventBus();
    const runtime = {
      clock: thread,
      random: () => 0.5,
      publish: bus.publish,
      holds: new Holds(thread),
    };
    const store = new SqliteStore({
      ...runtime,
      directory: this.#directory,
      onFatal: () => disk.kill(),
      dedupeKeepMs: config.storage.dedupeKeepMs,
      keys: simulatedKeys,
      tableSets: module.tables ?? [],
      backupsKept: 1,
      laneLengthMax: config.queue.laneLengthMax,
      openDatabase: disk.open,
      defer: thread.defer,
    });
    const files = new SealedFiles({
      ...{ ...runtime, directory: this.#directory, store },
      totalBytesMax: config.storage.filesBytesMax,
      attemptMs: config.queue.handlerTimeoutMs,
    });
    const client = this.#telegram.clientOf(thread, files, this.#lives, (calls) => {
      if (death?.at === "call" && calls === death.number) disk.kill();
      return thread.dead;
    });
    const sending = createSending(config, { ...runtime, store, client });
    const { breaker, delivery, gate, pollingApi } = sending;
    // All that a handler needs of the breaker; private fields keep a subclass from wrapping it.
    const direct = {
      call: (...call: Parameters<typeof breaker.call>) =>
        directCalls.run(true, () => breaker.call(...call)),
    } as typeof breaker;
    const { handlers, identity, tasks, updateKinds } = createHandledBot(config, {
      ...runtime,
      ...{
        apiRoot: this.#telegram.apiRoot,
        breaker: direct,
        files,
        gate,
        module,
        pollingApi,
        store,
        token,
      },
      operations: createOperations({
        store,
        holds: runtime.holds,
        book: { list: () => [] },
        queue: () => queue,
      }),
    });
    const queue: MessageQueue = createQueue(config, {
      ...runtime,
      ...{ delivery, gate, handlers, store },
    });
    const planned = tasks(queue);
    const life = { thread, queue, store, disk, identity, updateKinds };
    await this.#settled(
      store
        .open()
        .then(() => sending.telegram.start())
        .then(() => identity.start())
        .then(() => planned.start()),
      thread,
    );
    if (!thread.dead) return life;
    if (this.#lives === 1) this.#commits = disk.commits;
    return undefined;
  }

  #config(settings: Parameters<typeof parseConfig>[2]): FaultToleranceConfig {
    const engine = {
      NODE_ENV: "test",
      TELEGRAM_BOT_TOKEN: sandboxToken,
      TELEGRAM_API_ROOT: "http://127.0.0.1:9",
      FLOOD_LIMITS_ENABLED: "false",
    };
    return parseConfig({ ...this.#env, ...engine }, undefined, settings);
  }

  /** Lets a person do this once, and the bot do all that follows from it. */
  async #act(step: Step, life: Life): Promise<void> {
    const { thread } = life;
    if (!this.#acted) {
      const startMs = Math.max(this.#time.nowMs, this.#startOf(this.#step));
      await this.#time.runUntil(startMs, () => thread.dead);
      this.#telegram.advanceTo(playEpochMs + startMs);
      if (thread.dead) return;
      await this.#takeIn(life);
      if (step.act !== undefined) await this.#actInApp(step, step.act, life);
      else if (step.file !== undefined) await this.#sendFile(step, step.file);
      else this.#person(step);
      if (thread.dead) return;
      this.#acted = true;
    }
    const isAtRest = async () => {
      const found = await this.#settled(life.queue.snapshot(), thread);
      if (!found) return true;
      return Object.values(found.pools).every(({ inHand, waiting }) => inHand + waiting === 0);
    };
    const deadlineMs = systemClock.monotonicMs() + stepMsMax;
    // What the bot does can make Telegram send more: a check-out that is answered becomes a payment.
    for (let turn = 0; (await this.#takeIn(life)) || !(await isAtRest()); turn++) {
      await this.#time.runUntil(this.#time.nowMs + turnMs, () => thread.dead);
      if (turn > quickTurns) await realPause();
      if (systemClock.monotonicMs() > deadlineMs) throw this.#stuck();
    }
  }

  /** The same in every play, wherever the process dies. */
  #startOf(step: number): number {
    const waited = this.#script.slice(0, step + 1).reduce((sum, { wait = 0 }) => sum + wait, 0);
    return (step + 1 + Math.ceil(waited / 60)) * stepMs;
  }

  #person(step: Step): void {
    const { control } = this.#telegram.sandbox;
    const { from: userId = 7, in: group, pay, press, say, update } = step;
    const chatId = group === undefined ? userId : this.#group(group, userId);
    if (say !== undefined) control.write({ userId, chatId, text: say });
    if (update !== undefined) control.inject({ update });
    if (pay !== undefined) this.#pay(step, pay, userId, chatId);
    if (press === undefined) return;
    const holds = ({ text }: { readonly text?: string }) => text?.includes(press);
    const found = control
      .messages({ chatId })
      .toReversed()
      .flatMap(({ message_id: messageId, reply_markup: markup }) => {
        const rows = (markup as { inline_keyboard?: { text: string }[][] } | undefined)
          ?.inline_keyboard;
        const button = rows?.flat().find(holds);
        return button ? [{ messageId, text: button.text }] : [];
      })[0];
    if (!found) throw new PlayError(`${describeStep(this.#step, step)}: there is no such button`);
    control.press({ userId, chatId, ...found });
  }

  /** Sends it again in the next life if the process died before it said that it has it, as the page does. */
  async #actInApp({ data = null, from: id = 7 }: Step, name: string, life: Life): Promise<void> {
    const from = { id, is_bot: false, first_name: `Person ${id}` };
    const requestId = `crash-test-step-${this.#step}`;
    const message = toActMessage({ name, requestId, data, from });
    await this.#settled(life.queue.insertMessageByPriority([message]), life.thread);
  }

  async #sendFile({ from: userId = 7, in: group }: Step, text: string): Promise<void> {
    const chatId = group === undefined ? userId : this.#group(group, userId);
    const document = await this.#telegram.upload(text);
    const { control } = this.#telegram.sandbox;
    const chat = control.chats({}).find((one) => one.chat.id === chatId)?.chat;
    const from = { id: userId, is_bot: false, first_name: `Person ${userId}` };
    const date = Math.floor((playEpochMs + this.#time.nowMs) / 1_000);
    const message = { message_id: 1_000_000 + this.#step, date, chat, from, document };
    control.inject({ update: { message } });
  }

  #pay(step: Step, title: string, userId: number, chatId: number): void {
    const { control } = this.#telegram.sandbox;
    const found = control.messages({ chatId }).findLast(({ invoice }) => {
      const { title: shown } = (invoice ?? {}) as { readonly title?: string };
      return shown?.includes(title);
    });
    if (!found) throw new PlayError(`${describeStep(this.#step, step)}: there is no such invoice`);
    control.pay({ userId, chatId, messageId: found.message_id });
  }

  #group(title: string, userId: number): number {
    const { control } = this.#telegram.sandbox;
    const known = control.chats({}).find(({ chat }) => chat.title === title);
    if (known) return known.chat.id;
    return control.createGroup({ title, memberIds: [userId] }).id;
  }

  /**
   * Brings updates into the queue, and confirms them once they are on disk.
   *
   * @returns whether there were any.
   */
  async #takeIn({ queue, thread, updateKinds }: Life): Promise<boolean> {
    if (thread.dead) return false;
    const request = {
      offset: this.#offset,
      timeout: 0,
      allowed_updates: allowedUpdatesWith(updateKinds),
    };
    const { body } = await this.#telegram.sandbox.call(
      "getUpdates",
      Buffer.from(JSON.stringify(request)),
    );
    const { result } = JSON.parse(body) as { readonly result: readonly Json[] };
    const updates = result.map(parseUpdate).filter((update) => update !== undefined);
    if (updates.length === 0) return false;
    const messages = updates.map((update) => toUpdateMessage(update, botId));
    await this.#settled(queue.insertMessageByPriority(messages), thread);
    if (!thread.dead) this.#offset = (updates.at(-1)?.update_id ?? 0) + 1;
    return true;
  }

  /**
   * Lets simulated time pass until the promise is settled, or its process is dead.
   *
   * @returns its value; `undefined` when the process died first.
   */
  async #settled<T>(promise: Promise<T>, thread: Thread): Promise<T | undefined> {
    const outcome: { value?: T; failure?: unknown; settled: boolean } = { settled: false };
    promise.then(
      (value) => Object.assign(outcome, { value, settled: true }),
      (failure: unknown) => Object.assign(outcome, { failure, settled: true }),
    );
    await this.#turn(() => outcome.settled || thread.dead);
    if (thread.dead) return undefined;
    if ("failure" in outcome) throw outcome.failure;
    return outcome.value;
  }

  async #turn(enough: () => boolean): Promise<void> {
    const deadlineMs = systemClock.monotonicMs() + stepMsMax;
    for (let turn = 0; ; turn++) {
      await this.#time.runUntil(this.#time.nowMs + turn * turnMs, enough);
      if (enough()) return;
      if (turn > quickTurns) await realPause();
      if (systemClock.monotonicMs() > deadlineMs) throw this.#stuck();
    }
  }

  #stuck(): PlayError {
    const step = describeStep(this.#step, this.#script[this.#step] ?? {});
    return new PlayError(`${step}: the bot does not come to rest within ${stepMsMax / 1_000} s`);
  }

  #readTables(): Readonly<Record<string, readonly string[]>> {
    const rows = new RowReader(join(this.#directory, "bot.db"), simulatedKeys);
    try {
      const names = rows.all<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
      );
      const own = names.map(({ name }) => name).filter((name) => !engineTables.test(name));
      return Object.fromEntries(own.map((name) => [name, readTable(rows, name)]));
    } finally {
      rows.close();
    }
  }
}

function readTable(rows: RowReader, name: string): readonly string[] {
  const columns = rows.all<{ name: string }>("SELECT name FROM pragma_table_info(?)", name);
  // Another name keeps the reader from unsealing a column that it does not know.
  const list = columns.map((column) => `"${column.name}" AS "${column.name} "`).join(", ");
  const found = rows.all<Record<string, unknown>>(`SELECT ${list} FROM "${name}"`);
  return found.map((row) => JSON.stringify(row, (_, value: unknown) => toCell(value))).sort();
}

function toCell(value: unknown): unknown {
  // Two sealings of one text differ, but not in their length.
  if (value instanceof Uint8Array) return `${value.byteLength} sealed bytes`;
  return typeof value === "number" ? comparable(value) : value;
}
