/**
 * Durable bot: runs Telegraf handlers on the real queue, store and delivery; only Telegram is fake.
 */
import { Telegraf } from "telegraf";
import type { BotApi } from "../../bot/core/bot-api.ts";
import { steadyEpoch } from "../../bot/core/clock.ts";
import type { FileStore } from "../../bot/core/file-store.ts";
import { Holds } from "../../bot/core/holds.ts";
import type { MessageHandler } from "../../bot/core/message-handler.ts";
import { Secret } from "../../bot/core/secret.ts";
import type { Store } from "../../bot/core/store.ts";
import { createTasks } from "../../bot/enhanced-launcher/tasks.ts";
import type { BotContext } from "../../bot/kit/bot-context.ts";
import { createLater } from "../../bot/kit/later.ts";
import { createMiniApp, type MiniAppHandlers } from "../../bot/kit/mini-app.ts";
import type { Kit } from "../../bot/kit/module.ts";
import type { Outbox } from "../../bot/kit/outbox.ts";
import { createSchedules } from "../../bot/kit/schedule.ts";
import { createSession, type MakeSession } from "../../bot/kit/session.ts";
import { SealedFiles } from "../../bot/storage/files/sealed-files.ts";
import type { BotInfo } from "../../bot/telegram/client/identity.ts";
import { MessageOutbox } from "../../bot/telegram/context/outbox.ts";
import { createContextType, type Recorders } from "../../bot/telegram/context/recorded-context.ts";
import { DirectCalls, OutboxTelegram } from "../../bot/telegram/context/recorded-telegram.ts";
import { TaskHandler } from "../../bot/telegram/context/task-handler.ts";
import {
  UpdateHandler,
  type UpdateHandlerDeps,
} from "../../bot/telegram/context/update-handler.ts";
import { Delivery } from "../../bot/telegram/delivery/delivery.ts";
import { FloodGate } from "../../bot/telegram/delivery/flood-gate.ts";
import { RateLimits } from "../../bot/telegram/delivery/rate-limits.ts";
import type { MessageQueueDeps } from "../../bot/utils/message-queue.ts";
import type { CrashPlan } from "../../lab/simulation/simulated-disk.ts";
import type { QueueMachine, QueueProcess } from "./queue-under-test.ts";

const token = new Secret("42:unused");
export const botInfo = { id: 42, is_bot: true, first_name: "Bot", username: "Bot" } as BotInfo;

/** How long the bot keeps a session. */
export const sessionsKeepMs = 6 * 3_600_000;

type TimeKit = Pick<Kit<object>, "later" | "miniApp" | "outbox" | "schedule">;

/** Registers handlers on a fresh router. */
export type Routes = (bot: Telegraf<BotContext>, session: MakeSession, kit: TimeKit) => void;
/** Creates a router with this context type. */
export type MakeBot = (
  contextType: ReturnType<typeof createContextType>,
  session: MakeSession,
  kit: TimeKit,
) => Telegraf<BotContext>;

/** Creates a router with only these handlers. */
export function withRoutes(routes: Routes): MakeBot {
  return (contextType, session, kit) => {
    const bot = new Telegraf<BotContext>(token.reveal(), { contextType });
    bot.catch((error) => {
      throw error;
    });
    routes(bot, session, kit);
    return bot;
  };
}

/**
 * @param api The Telegram that this process calls.
 * @param more Parts that replace the usual parts of the queue.
 */
export async function bootDurableBot(
  machine: QueueMachine,
  makeBot: MakeBot,
  api: BotApi,
  plan?: CrashPlan,
  more: Partial<MessageQueueDeps> & {
    readonly files?: FileStore;
    readonly lastWords?: UpdateHandlerDeps["lastWords"];
  } = {},
): Promise<
  QueueProcess & {
    readonly outbox: Outbox;
    readonly bot: Telegraf<BotContext>;
    readonly miniApp: MiniAppHandlers;
  }
> {
  const { clock } = machine;
  const random = () => 0.5;
  const now = steadyEpoch(clock);
  const later = createLater();
  const miniApp = createMiniApp(undefined, sessionsKeepMs);
  const { add: schedule, schedules } = createSchedules();
  const made: { outbox?: MessageOutbox; store?: Store; bot?: Telegraf<BotContext> } = {};
  const process = await machine.boot((store, publish) => {
    const files =
      more.files ??
      new SealedFiles({
        ...{ clock, publish, store, directory: machine.directory },
        totalBytesMax: 100_000_000,
        attemptMs: 60_000,
      });
    const limits = { enabled: false, chatBurst: 1, groupPerMinute: 20, totalPerSecond: 30 };
    const gate = new FloodGate({ clock, limits, store, paused: () => false });
    const holds = new Holds(clock);
    const rateLimits = new RateLimits({ clock, publish, holds, store, waitMaxMs: 300_000 });
    const send = new Delivery({ api, gate, rateLimits, clock, random, publish, facts: store });
    const permit: FloodGate["permit"] = (call, signal) => gate.permit(call, signal);
    const direct = new DirectCalls({
      ...{ api, clock, files, random, store, token, permit },
      apiRoot: "http://unused",
    });
    const recorders: Recorders = new WeakMap();
    const session = createSession({ store, keepMs: sessionsKeepMs });
    const outbox = new MessageOutbox({ files, now, store });
    const contextType = createContextType(recorders, direct, { names: later.names, now });
    const given = { later: later.make, miniApp: miniApp.kit, outbox, schedule };
    const bot = makeBot(contextType, session, given);
    bot.telegram = new OutboxTelegram(outbox, direct, outbox.signal);
    const recorded = {
      ...{ bot, files, recorders, whoAmI: async () => botInfo },
      lastWords: more.lastWords ?? (() => []),
    };
    const handler: MessageHandler = new UpdateHandler(recorded);
    const { acts } = miniApp;
    const task = new TaskHandler({ ...recorded, acts, contextType, later, publish, schedules });
    Object.assign(made, { bot, outbox, store });
    return {
      gates: { sending: gate },
      handlers: { update: handler, task, send, broadcast: send, alert: send },
      ...more,
    };
  }, plan);
  const { bot, outbox, store } = made as Required<typeof made>;
  const enqueue = process.queue.insertMessageByPriority.bind(process.queue);
  // Without schedules there is nothing to commit, and tests count commits.
  if (schedules.size === 0) outbox.open(enqueue);
  else await createTasks({ now, outbox, schedules, store }, enqueue).start();
  return { ...process, bot, miniApp, outbox };
}
