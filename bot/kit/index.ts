/** Kit: the one place from which the file of a bot imports, as "unsinkable-telegram-bot/kit". */

export type { Documents } from "../core/documents.ts";
export type { SealedColumn, Sealer, Sql, TableSet, Transaction } from "../core/transaction.ts";
export {
  type ApiFields,
  type ApiMethod,
  type ApiResult,
  botApiVersion,
  type UpdateKind,
  updateOf,
} from "./bot-api.ts";
export type { BotContext, LaterOptions } from "./bot-context.ts";
export { type BotDefinition, defineBot } from "./define-bot.ts";
export type { AnswerAsk, MiniApp, MiniAppHandler } from "./mini-app.ts";
export type { BotModule, CommandMenu, JudgeRequest, Kit } from "./module.ts";
export type {
  DeadLetterFacts,
  HoldFacts,
  IncidentFacts,
  Operations,
} from "./operations.ts";
export type { Outbox, OutboxOptions } from "./outbox.ts";
export type { PanelContent, Wording } from "./panel.ts";
export type { ScheduleContext, ScheduleOptions } from "./schedule.ts";
export { deleteSessions, type MakeSession } from "./session.ts";
export * from "./settings.ts";
export { textFile } from "./text-file.ts";
