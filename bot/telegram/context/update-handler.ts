/**
 * Update handler: runs Telegraf over one update and returns the calls it wants sent.
 *
 * Telegraf is only a router here; its calls, errors and context are replaced by ours.
 */
import type { Telegraf } from "telegraf";
import type { Message, NewMessage } from "../../core/message.ts";
import type { Attempt, HandlerResult, MessageHandler } from "../../core/message-handler.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import type { BotInfo } from "../client/identity.ts";
import { judgeMembership } from "./membership-rules.ts";
import type { Recorders } from "./recorded-context.ts";
import { runRecorded } from "./recorded-run.ts";
import { Recorder, type RecorderDeps } from "./recorder.ts";

export interface UpdateHandlerDeps extends RecorderDeps {
  readonly bot: Telegraf<BotContext>;
  readonly recorders: Recorders;
  readonly whoAmI: () => Promise<BotInfo>;
  /**
   * The messages queued for the user when an update is given up.
   *
   * @param languageCode What the handler has said about it.
   */
  readonly lastWords: (message: Message, languageCode: string | undefined) => readonly NewMessage[];
}

type TelegrafUpdate = Parameters<Telegraf["handleUpdate"]>[0];

export class UpdateHandler implements MessageHandler {
  readonly onRetry = "hold";
  readonly #deps: UpdateHandlerDeps;
  /** The recorders of the latest attempts. */
  readonly #latest = new WeakMap<Message, Recorder>();

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
    this.#latest.set(attempt.message, recorder);
    const result = await runRecorded(recorder, () =>
      bot.handleUpdate(update as unknown as TelegrafUpdate),
    );
    return result.kind === "done" ? { ...result, ...judgeMembership(update) } : result;
  }

  lastWords(message: Message): readonly NewMessage[] {
    return this.#deps.lastWords(message, this.#latest.get(message)?.languageCode);
  }
}
