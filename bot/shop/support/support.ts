/**
 * /support: opens a ticket, and carries words between a person and the administrators.
 *
 * While a ticket is open, what its person writes without a slash belongs to it. An administrator answers by
 * replying to any message about it: the message itself carries the ticket's number, in its first line and in
 * its button. So no number of a message has to be remembered, a message that a death has sent twice works
 * like the first one, and so does one of last year.
 */
import { Composer } from "telegraf";
import type { Transaction } from "../../core/transaction.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import { noteAct } from "../admin/acts.ts";
import { audit, textsOf, wordingFor } from "../admin/admin-turn.ts";
import { displayText } from "../commands/format.ts";
import { button, keyboard } from "../commands/keyboard.ts";
import {
  type CommandOptions,
  createRoutes,
  parseCount,
  type Routes,
  type Turn,
  wordsIn,
} from "../commands/routes.ts";
import { visitorOf } from "../commands/visitor.ts";
import { ask, takeAsked } from "../people/asking.ts";
import { languageTagOf } from "../people/standing.ts";
import { addWords, lockTicketsOf, ticketsOf } from "./ticket-tables.ts";

export function supportRoutes(options: CommandOptions): Routes {
  const routes = createRoutes(options);
  const { adminIds } = options;

  routes.privateCommand("support", async (turn) => {
    const { ctx, texts, visitor } = turn;
    if (adminIds.length === 0) return ctx.reply(texts.noSupport);
    const words = displayText(commandArgument(ctx));
    if (words !== "") return takeWords(turn, options, words, true);
    const ticketId = await ctx.transaction(async (tx) => {
      const ticket = await ticketsOf(tx).openTicketOf(visitor.userId);
      if (!ticket) await ask(tx, visitor.userId, { what: "support", of: "" });
      return ticket?.id ?? null;
    });
    return ticketId === null
      ? ctx.reply(texts.askSupport)
      : ctx.reply(texts.askSupportAgain(String(ticketId)), closeButton(turn, ticketId));
  });

  routes.press("ticket-close", async (turn, [id]) => {
    const ticketId = parseCount(id) ?? 0;
    const { userId } = turn.visitor;
    const closed = await turn.ctx.transaction(async (tx) => {
      const ticket = await ticketsOf(tx).findTicket(ticketId);
      if (ticket?.userId !== userId) return null;
      if (!(await ticketsOf(tx).closeTicket(ticketId, tx.nowEpochMs))) return [];
      return languagesOf(tx, adminIds);
    });
    if (!closed) return turn.texts.staleButton;
    for (const { languageTag, userId: adminId } of closed) {
      const { admin } = wordingFor(options, languageTag);
      await turn.ctx.telegram.sendMessage(adminId, admin.ticketClosed(String(ticketId)));
    }
    await turn.ctx.editMessageText(turn.texts.ticketClosed(String(ticketId)), keyboard());
    return undefined;
  });

  if (adminIds.length > 0) {
    routes.text((turn, text) => takeWords(turn, options, displayText(text), false));
  }
  return routes;
}

/** The administrators' side: replies to messages about tickets, and the button that closes one. */
export function supportDeskRoutes(options: CommandOptions): Pick<Routes, "composer"> {
  const routes = createRoutes(options);

  routes.text(async (turn, text) => {
    const ticketId = ticketOfReply(turn.ctx);
    if (ticketId === undefined) return false;
    await answerTicket(turn, options, ticketId, text);
    return true;
  });

  routes.press("adm-ticket", async (turn, [id]) => {
    const ticketId = parseCount(id) ?? 0;
    const adminId = turn.visitor.userId;
    const t = textsOf(turn);
    const closed = await turn.ctx.transaction(async (tx) => {
      const ticket = await ticketsOf(tx).findTicket(ticketId);
      if (!ticket) return null;
      const now = await ticketsOf(tx).closeTicket(ticketId, tx.nowEpochMs);
      const subject = `ticket:${ticketId}`;
      if (now) await noteAct(tx, { adminId, kind: "close-ticket", userId: ticket.userId, subject });
      const languageTag = (await languageTagOf(tx, ticket.userId)) ?? ticket.language;
      return { now, userId: ticket.userId, languageTag };
    });
    if (!closed) return t.noTicket;
    if (closed.now) {
      audit(options, turn, "close-ticket", { ticketId });
      const { texts } = wordingFor(options, closed.languageTag);
      await turn.ctx.telegram.sendMessage(closed.userId, texts.ticketClosed(String(ticketId)));
    }
    return t.ticketClosed(String(ticketId));
  });

  const isAdmin = (ctx: BotContext) => {
    const { inPrivateChat, userId } = visitorOf(ctx);
    return inPrivateChat && options.adminIds.includes(userId);
  };
  return { composer: new Composer<BotContext>(Composer.optional(isAdmin, routes.composer)) };
}

/**
 * Adds a person's words to their open ticket, or opens one if they were asked or `mayOpen`.
 *
 * @returns false when the words belong to no ticket.
 */
async function takeWords(
  turn: Turn,
  options: CommandOptions,
  words: string,
  mayOpen: boolean,
): Promise<boolean> {
  const { ctx, texts, visitor } = turn;
  const { language, name, profile, userId } = visitor;
  if (words === "") return false;
  const taken = await ctx.transaction(async (tx) => {
    await lockTicketsOf(tx, userId);
    const asked = await takeAsked(tx, userId, ["support"]);
    const known = await ticketsOf(tx).openTicketOf(userId);
    const wanted = mayOpen || asked !== undefined;
    const ticket =
      known ?? (wanted && (await ticketsOf(tx).openTicket(userId, language, tx.nowEpochMs)));
    if (!ticket) return null;
    const atEpochMs = tx.nowEpochMs;
    await addWords(tx, { ticketId: ticket.id, adminId: undefined, words, atEpochMs });
    return {
      ticketId: ticket.id,
      opened: !known,
      admins: await languagesOf(tx, options.adminIds),
    };
  }, "ticket");
  if (!taken) return false;
  const id = String(taken.ticketId);
  const sender = [name || texts.someone, profile.username && `@${profile.username}`];
  for (const { languageTag, userId: adminId } of taken.admins) {
    const { admin } = wordingFor(options, languageTag);
    const text = admin.ticket(id, sender.filter(Boolean).join(" "), String(userId), words);
    await ctx.telegram.sendMessage(adminId, text, {
      ...keyboard([button(admin.closeTicketButton, `adm-ticket:${id}`)]),
      link_preview_options: { is_disabled: true },
    });
  }
  await ctx.reply(
    taken.opened ? texts.ticketOpened(id) : texts.ticketWords(id),
    closeButton(turn, taken.ticketId),
  );
  return true;
}

/** Sends an administrator's words to the person of a ticket, open or not. */
async function answerTicket(
  turn: Turn,
  options: CommandOptions,
  ticketId: number,
  words: string,
): Promise<void> {
  const { ctx, visitor } = turn;
  const adminId = visitor.userId;
  const t = textsOf(turn);
  const answered = await ctx.transaction(async (tx) => {
    const ticket = await ticketsOf(tx).findTicket(ticketId);
    if (!ticket) return null;
    const { userId } = ticket;
    await addWords(tx, { ticketId, adminId, words, atEpochMs: tx.nowEpochMs });
    await noteAct(tx, { adminId, kind: "answer", userId, subject: `ticket:${ticketId}` });
    const others = options.adminIds.filter((other) => other !== adminId);
    const languageTag = (await languageTagOf(tx, userId)) ?? ticket.language;
    return { userId, languageTag, others: await languagesOf(tx, others) };
  }, "answer ticket");
  if (!answered) {
    await ctx.reply(t.noTicket);
    return;
  }
  const id = String(ticketId);
  audit(options, turn, "answer", { ticketId });
  const { texts } = wordingFor(options, answered.languageTag);
  await ctx.telegram.sendMessage(answered.userId, texts.ticketAnswer(id, words));
  for (const { languageTag, userId } of answered.others) {
    const { admin } = wordingFor(options, languageTag);
    await ctx.telegram.sendMessage(userId, admin.ticketAnswered(id, words));
  }
  await ctx.reply(t.answerSent(id));
}

/** The ticket that an administrator's message replies to; `undefined` when it replies to no ticket. */
function ticketOfReply(ctx: BotContext): number | undefined {
  const message: unknown = ctx.message;
  const replied = fieldOf(message, "reply_to_message");
  // Only what this bot has said counts: anybody can write a line that looks like one.
  if (fieldOf(fieldOf(replied, "from"), "id") !== ctx.botInfo.id) return undefined;
  const buttons = JSON.stringify(fieldOf(replied, "reply_markup") ?? "");
  const text = fieldOf(replied, "text");
  const [, pressed] = /"adm-ticket:(\d{1,15})"/.exec(buttons) ?? [];
  const [, written] = typeof text === "string" ? (/^#T(\d{1,15})\b/.exec(text) ?? []) : [];
  return parseCount(pressed ?? written);
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

async function languagesOf(tx: Transaction, userIds: readonly number[]) {
  const people = [];
  for (const userId of userIds) {
    people.push({ userId, languageTag: (await languageTagOf(tx, userId)) ?? null });
  }
  return people;
}

function closeButton({ texts }: Turn, ticketId: number) {
  return keyboard([button(texts.closeTicket, `ticket-close:${ticketId}`)]);
}

function commandArgument(ctx: BotContext): string {
  const said = wordsIn(ctx) ?? "";
  return said.replace(/^\/\S+\s*/, "");
}
