/**
 * Update handler: runs Telegraf over one update and returns the calls it wants sent.
 *
 * Telegraf is only a router here; its calls, errors and context are replaced by ours.
 */
import type { Telegraf } from "telegraf";
import { StorageFullError } from "../../core/errors.ts";
import type { Message, NewMessage } from "../../core/message.ts";
import type { Attempt, HandlerResult, MessageHandler } from "../../core/message-handler.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import type { BotInfo } from "../client/identity.ts";
import type { Recorders } from "./recorded-context.ts";
import { Recorder, type RecorderDeps } from "./recorder.ts";

export interface UpdateHandlerDeps extends RecorderDeps {
  readonly bot: Telegraf<BotContext>;
  readonly recorders: Recorders;
  readonly whoAmI: () => Promise<BotInfo>;
  /** The messages queued for the user when an update is given up. */
  readonly lastWords: (message: Message) => readonly NewMessage[];
}

/** Milliseconds between two attempts at an update whose files do not fit on the disk. */
const diskFullDelayMs = 5_000;

type TelegrafUpdate = Parameters<Telegraf["handleUpdate"]>[0];

export class UpdateHandler implements MessageHandler {
  readonly onRetry = "hold";
  readonly #deps: UpdateHandlerDeps;

  constructor(deps: UpdateHandlerDeps) {
    this.#deps = deps;
  }

  async handle(attempt: Attempt): Promise<HandlerResult> {
    const { bot, recorders, whoAmI } = this.#deps;
    // Otherwise Telegraf would ask Telegram itself, without a deadline and with the token in
    // errors.
    bot.botInfo ??= await whoAmI();
    const recorder = new Recorder(attempt, this.#deps);
    const update = attempt.message.payload;
    recorders.set(update, recorder);
    try {
      await bot.handleUpdate(update as unknown as TelegrafUpdate);
      const write = recorder.takeWrite();
      return { kind: "done", enqueue: await recorder.finish(), ...(write && { write }) };
    } catch (error) {
      // The update can do nothing about it, and is not given up for it.
      if (!(error instanceof StorageFullError)) throw error;
      return { kind: "postponed", delayMs: diskFullDelayMs, parkLane: false, error };
    } finally {
      recorder.takeWrite();
      recorder.over();
    }
  }

  lastWords(message: Message): readonly NewMessage[] {
    return this.#deps.lastWords(message);
  }
}
