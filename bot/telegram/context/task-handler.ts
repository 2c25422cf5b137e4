/**
 * Task handler: runs what a module does at a later time, or again and again.
 *
 *   payload           what it is
 *   mini_app_request  what a person does in the Mini App: an update of this kind (kit/mini-app.ts)
 *   later             an update of kind `later`, for the handler of this name (kit/later.ts)
 *   schedule          one due instant of a schedule (kit/schedule.ts)
 *   resume            after a due instant was given up: queues the next one, if that has not happened
 *
 * A due instant begins with a durable step, which decides what it stands for and queues the next one. So
 * the next one comes whatever becomes of this one, and only once.
 */
import type { Telegraf } from "telegraf";
import { TaskUnknownError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { JsonObject, Message, NewMessage } from "../../core/message.ts";
import type { Attempt, HandlerResult, MessageHandler } from "../../core/message-handler.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import type { LaterHandlers, LaterTask } from "../../kit/later.ts";
import type { MiniAppTask } from "../../kit/mini-app.ts";
import type { Schedule, ScheduleContext } from "../../kit/schedule.ts";
import { type DueDecision, decideDue, leftOut } from "../../kit/schedule-rules.ts";
import type { BotInfo } from "../client/identity.ts";
import type { createContextType, Recorders } from "./recorded-context.ts";
import { runRecorded } from "./recorded-run.ts";
import { Recorder, type RecorderDeps } from "./recorder.ts";
import type { UpdateHandlerDeps } from "./update-handler.ts";

export interface TaskHandlerDeps extends RecorderDeps {
  readonly bot: Telegraf<BotContext>;
  readonly contextType: ReturnType<typeof createContextType>;
  readonly recorders: Recorders;
  readonly whoAmI: () => Promise<BotInfo>;
  readonly later: LaterHandlers;
  readonly schedules: ReadonlyMap<string, Schedule>;
  /** Names of the acts of the Mini App. */
  readonly acts: ReadonlySet<string>;
  /** The messages queued for a person when what they did in the Mini App is given up. */
  readonly lastWords: UpdateHandlerDeps["lastWords"];
  readonly publish: Publish;
}

/** The payload of a schedule's message. */
interface DueTask {
  readonly schedule: string;
  readonly dueAtEpochMs: number;
  readonly resume?: true;
}

type TelegrafUpdate = Parameters<Telegraf["handleUpdate"]>[0];

export class TaskHandler implements MessageHandler {
  readonly onRetry = "hold";
  readonly #deps: TaskHandlerDeps;
  /** The recorders of the latest attempts. */
  readonly #latest = new WeakMap<Message, Recorder>();

  constructor(deps: TaskHandlerDeps) {
    this.#deps = deps;
  }

  async handle(attempt: Attempt): Promise<HandlerResult> {
    const { later, schedule, mini_app_request: act, ...due } = attempt.message.payload;
    if (typeof act === "object") return this.#act(attempt, act as unknown as MiniAppTask);
    if (typeof later === "object") return this.#later(attempt, later as unknown as LaterTask);
    const known = this.#deps.schedules.get(String(schedule));
    if (!known) return unknown(`there is no schedule ${JSON.stringify(schedule)} any more`);
    const task = { ...due, schedule } as unknown as DueTask;
    return task.resume ? resume(attempt, known, task) : this.#due(attempt, known, task);
  }

  /** An act that no handler answers was stopped by a middleware, on purpose. */
  async #act(attempt: Attempt, task: MiniAppTask): Promise<HandlerResult> {
    if (!this.#deps.acts.has(task.name)) {
      return unknown(`there is no act ${JSON.stringify(task.name)} of the Mini App any more`);
    }
    const content = { mini_app_request: task as unknown as JsonObject };
    return this.#route(attempt, updateOf(attempt.message, content));
  }

  async #later(attempt: Attempt, task: LaterTask): Promise<HandlerResult> {
    const { later } = this.#deps;
    const name = JSON.stringify(task.name);
    if (!later.names.has(task.name)) return unknown(`there is no later handler ${name} any more`);
    const update = updateOf(attempt.message, { later: task as unknown as JsonObject });
    const result = await this.#route(attempt, update);
    if (result.kind !== "done" || later.reached(update)) return result;
    return unknown(
      `the later handler ${name} was not reached: put kit.later behind the session, and before what answers every update, such as scenes`,
    );
  }

  async #route(attempt: Attempt, update: JsonObject): Promise<HandlerResult> {
    const { bot, recorders, whoAmI } = this.#deps;
    bot.botInfo ??= await whoAmI();
    const recorder = new Recorder(attempt, this.#deps);
    recorders.set(update, recorder);
    this.#latest.set(attempt.message, recorder);
    return runRecorded(recorder, () => bot.handleUpdate(update as unknown as TelegrafUpdate));
  }

  async #due(attempt: Attempt, schedule: Schedule, task: DueTask): Promise<HandlerResult> {
    const { contextType, publish, recorders, whoAmI } = this.#deps;
    const decided = await decide(attempt, schedule, task.dueAtEpochMs, publish);
    const { dueAtEpochMs, missedFromEpochMs } = decided;
    if (dueAtEpochMs === undefined) return { kind: "done" };
    const recorder = new Recorder(attempt, this.#deps);
    const update = updateOf(attempt.message, { schedule: { name: schedule.name } });
    recorders.set(update, recorder);
    const context = new contextType(update as never, undefined as never, await whoAmI());
    const shown = { dueAtEpochMs, missedFromEpochMs: missedFromEpochMs ?? undefined };
    const ctx: ScheduleContext = Object.assign(context, shown);
    return runRecorded(recorder, async () => schedule.run(ctx));
  }

  lastWords(message: Message): readonly NewMessage[] {
    const { payload, requeued } = message;
    const { dueAtEpochMs, mini_app_request: act, schedule } = payload;
    if (act !== undefined) {
      return this.#deps.lastWords(message, this.#latest.get(message)?.languageCode);
    }
    if (requeued || typeof schedule !== "string" || !this.#deps.schedules.has(schedule)) return [];
    const lane = `schedule:${schedule}`;
    const resuming = { schedule, dueAtEpochMs: dueAtEpochMs ?? 0, resume: true };
    return [{ type: "task", pool: "handling", lane, priority: "normal", payload: resuming }];
  }
}

/** Unique, stable over attempts, and no id of Telegram's, whose ids are positive. */
function updateOf({ id }: Message, content: JsonObject): JsonObject {
  return { update_id: -id, ...content };
}

function unknown(message: string): HandlerResult {
  return { kind: "dead", reason: "refused", error: new TaskUnknownError(message) };
}

/** Stores the decision, and with it the message of the next instant. Reports what it leaves out, once. */
async function decide(
  attempt: Attempt,
  schedule: Schedule,
  dueAtEpochMs: number,
  publish: Publish,
): Promise<Partial<DueDecision>> {
  let decided: DueDecision | undefined;
  const kept = await attempt.step(
    "kit:due",
    async ({ nowEpochMs }) => {
      decided = decideDue(dueAtEpochMs, nowEpochMs, schedule.missed, schedule.instants);
      return decided;
    },
    () => dueMessages(schedule, decided?.nextEpochMs),
  );
  const left = decided && leftOut(dueAtEpochMs, decided, schedule.instants);
  if (left) {
    const { missed: policy, name } = schedule;
    publish({ type: "schedule.instants-missed", schedule: name, policy, ...left });
  }
  return kept as Partial<DueDecision>;
}

async function resume(
  attempt: Attempt,
  schedule: Schedule,
  { dueAtEpochMs }: DueTask,
): Promise<HandlerResult> {
  let broken = false;
  await attempt.step(
    "kit:resume",
    async ({ messages }) => {
      const { kind } = await messages.find(scheduleKey(schedule.name));
      broken = kind !== "waiting" && kind !== "in-hand";
    },
    () => (broken ? dueMessages(schedule, schedule.instants.next(dueAtEpochMs)) : []),
  );
  return { kind: "done" };
}

/** The key of the message that waits for a schedule's next instant. */
export function scheduleKey(name: string): string {
  return `schedule:${name}`;
}

/** @param dueAtEpochMs `undefined`: the schedule has no further instant. */
export function dueMessages(
  { name }: Schedule,
  dueAtEpochMs: number | undefined,
): readonly NewMessage[] {
  if (dueAtEpochMs === undefined) return [];
  const message: NewMessage = {
    type: "task",
    pool: "handling",
    lane: `schedule:${name}`,
    priority: "normal",
    payload: { schedule: name, dueAtEpochMs },
    availableAtEpochMs: dueAtEpochMs,
    key: { name: scheduleKey(name), again: "replace" },
  };
  return [message];
}
