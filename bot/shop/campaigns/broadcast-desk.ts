/**
 * Broadcast desk: /broadcast drafts, previews, counts, begins, pauses and cancels a campaign, and the task
 * behind it takes one turn after the other.
 */
import type { MiddlewareFn } from "telegraf";
import type { Transaction } from "../../core/transaction.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import type { DeadLetterFacts } from "../../kit/operations.ts";
import type { ActKind } from "../admin/acts.ts";
import { audit, menuButton, reply, show, wordingFor } from "../admin/admin-turn.ts";
import type { Language } from "../catalogue.ts";
import { displayText, type Format } from "../commands/format.ts";
import { button, keyboard } from "../commands/keyboard.ts";
import type { Card } from "../commands/order-card.ts";
import { type CommandOptions, parseCount, type Routes, type Turn } from "../commands/routes.ts";
import { languageTagOf } from "../people/standing.ts";
import {
  type Campaign,
  type Content,
  campaignsOf,
  type Outcome,
  outcomes,
  segments,
} from "./campaign-tables.ts";
import {
  act,
  batchOf,
  type CampaignAct,
  cardKeyOf,
  chooseSegment,
  deadLettersOf,
  draft,
  keyOf,
  sumOf,
  takeTurn,
  turnMsOf,
} from "./campaigns.ts";
import { countPeople } from "./segments.ts";
import { broadcastTexts } from "./texts.ts";

const listed = 8;
const taskName = "campaign";
/** Messages per second that Telegram sends for nothing. Source: core.telegram.org/bots/faq. */
const freePerSecond = 30;

type ActButton = Extract<CampaignAct, "pause" | "resume" | "cancel">;

export function registerBroadcastDesk(routes: Routes, options: CommandOptions): void {
  routes.command("broadcast", async (turn) => {
    const { ctx, visitor } = turn;
    const content = contentOf(ctx, visitor.userId);
    if (!content) return reply(turn, await listCard(turn, options));
    const id = await ctx.transaction((tx) => draft(tx, visitor.userId, content));
    const { method, payload } = messageTo(visitor.userId, content, false);
    await ctx.call(method, payload as never);
    return reply(turn, segmentCard(turn, id));
  });

  routes.press("adm-casts", async (turn) => show(turn, await listCard(turn, options)));
  routes.press("adm-cast-whom", async (turn, [id]) =>
    show(turn, segmentCard(turn, parseCount(id) ?? 0)),
  );

  routes.press("adm-cast-to", async (turn, [id, name]) => {
    const t = broadcastTexts(turn.visitor.language);
    const segment = segments.find((one) => one === name);
    if (!segment) return turn.texts.staleButton;
    const count = await countPeople(options.read, segment, turn.ctx.receivedAtEpochMs);
    const chosen = await turn.ctx.transaction(
      async (tx) => (await chooseSegment(tx, parseCount(id) ?? 0, segment, count)) ?? null,
    );
    if (!chosen) return t.notNow;
    return show(turn, confirmCard(turn, options, chosen));
  });

  routes.press("adm-cast-go", (turn, [id, paid]) =>
    carryOut(turn, options, id, "go", "broadcast", paid === "paid"),
  );
  const buttons: Readonly<Record<ActButton, ActKind>> = {
    pause: "broadcast-pause",
    resume: "broadcast-resume",
    cancel: "broadcast-cancel",
  };
  for (const [what, kind] of Object.entries(buttons)) {
    routes.press(`adm-cast-${what}`, (turn, [id]) =>
      carryOut(turn, options, id, what as ActButton, kind),
    );
  }

  routes.press("adm-cast", async (turn, [id]) => {
    const found = await options.read((tx) => campaignsOf(tx).findCampaign(parseCount(id) ?? 0));
    if (found?.state === "draft") {
      const { method, payload } = messageTo(turn.visitor.userId, found.content, false);
      await turn.ctx.call(method, payload as never);
      await reply(turn, segmentCard(turn, found.id));
      return undefined;
    }
    return carryOut(turn, options, id, "look");
  });
}

/** Carries out an act, shows the campaign in the message whose button was pressed, and queues its next turn. */
async function carryOut(
  turn: Turn,
  options: CommandOptions,
  id: string | undefined,
  what: CampaignAct,
  kind?: ActKind,
  paid = false,
): Promise<string | undefined> {
  const { ctx, format, visitor } = turn;
  const { language, userId } = visitor;
  const messageId = ctx.callbackQuery?.message?.message_id ?? 0;
  const campaign = await ctx.transaction(async (tx) => {
    const card = { chatId: userId, messageId };
    const changed = await act(tx, userId, parseCount(id) ?? 0, what, card, paid);
    if (changed && changed.state !== "done") {
      ctx.later(0, taskName, { id: changed.id, chain: changed.chain });
    }
    return changed ?? null;
  }, "campaign");
  if (!campaign) return broadcastTexts(language).notNow;
  if (kind) {
    const facts = { campaignId: campaign.id, people: campaign.expected, paid: campaign.paid };
    audit(options, turn, kind, facts);
  }
  return show(turn, campaignCard(campaign, language, format, menuButton(turn)));
}

/** The middleware that runs a campaign's turns; it stands before everything that answers people. */
export function campaignTurns(options: CommandOptions): MiddlewareFn<BotContext> {
  return options.later(taskName, async (ctx: BotContext, data: { id: number; chain: number }) => {
    const letters = await lookAtLetters(options, data.id);
    const batch = batchOf(options.messagesPerSecond);
    const everyMs = turnMsOf(options.messagesPerSecond);
    await ctx.transaction(async (tx) => {
      const turn = await takeTurn(tx, data.id, data.chain, letters, batch);
      if (!turn) return;
      const { campaign, nextMs, recipients, shows } = turn;
      for (const userId of recipients) {
        const { method, payload } = messageTo(userId, campaign.content, campaign.paid);
        const key = keyOf(campaign, userId);
        // A message that a death cut off may have arrived: it is counted as unclear, and not repeated.
        const terms = { key, broadcast: true, ambiguous: "drop" } as const;
        await options.outbox.call(method, payload as never, terms);
      }
      if (nextMs !== undefined) ctx.later(Math.min(nextMs, everyMs), taskName, data);
      if (shows) await editCard(tx, options, campaign);
    }, "turn");
  });
}

/** Reads outside of the turn's transaction what dead letters say. */
async function lookAtLetters(
  { operations, read }: CommandOptions,
  campaignId: number,
): Promise<ReadonlyMap<number, Outcome>> {
  const letters = new Map<number, Outcome>();
  for (const id of await read((tx) => deadLettersOf(tx, campaignId))) {
    const letter = await operations.deadLetter(id);
    if (!letter) continue;
    letters.set(id, outcomeOf(letter));
  }
  return letters;
}

function outcomeOf({ chatGone, reason }: DeadLetterFacts): Outcome {
  if (chatGone !== undefined) return chatGone === "blocked" ? "blocked" : "gone";
  return reason === "ambiguous-dropped" ? "unclear" : "failed";
}

async function editCard(
  tx: Transaction,
  options: CommandOptions,
  campaign: Campaign,
): Promise<void> {
  const { card } = campaign;
  if (!card) return;
  const { admin, format, language } = wordingFor(options, await languageTagOf(tx, card.chatId));
  const menu = button(admin.menuButton, "adm");
  const [text, buttons] = campaignCard(campaign, language, format, menu);
  const where = { chat_id: card.chatId, message_id: card.messageId };
  const key = cardKeyOf(campaign, card.edits);
  await options.outbox.call("editMessageText", { ...where, text, ...buttons }, { key });
}

function messageTo(userId: number, content: Content, paid: boolean) {
  const more = { chat_id: userId, ...(paid && { allow_paid_broadcast: true }) };
  if ("text" in content) {
    return { method: "sendMessage", payload: { ...more, text: content.text } } as const;
  }
  const { fromChatId, messageId } = content;
  const payload = { ...more, from_chat_id: fromChatId, message_id: messageId };
  return { method: "copyMessage", payload } as const;
}

/** The text after the command, or else the message that it replies to. */
function contentOf(ctx: BotContext, adminId: number): Content | undefined {
  const message = (ctx.message ?? {}) as {
    readonly text?: unknown;
    readonly reply_to_message?: { readonly message_id?: unknown } | null;
  };
  const said = typeof message.text === "string" ? message.text : "";
  const text = displayText(said.replace(/^\/\S+\s*/, ""));
  if (text !== "") return { text };
  const messageId = message.reply_to_message?.message_id;
  return Number.isSafeInteger(messageId)
    ? { fromChatId: adminId, messageId: messageId as number }
    : undefined;
}

async function listCard(turn: Turn, { read }: CommandOptions): Promise<Card> {
  const t = broadcastTexts(turn.visitor.language);
  const found = await read((tx) => campaignsOf(tx).campaigns(listed));
  const rows = found.map(({ createdAtEpochMs, id, state }) => {
    const when = turn.format.instant(createdAtEpochMs);
    return [button(`#${id} ${t.states[state]} · ${when}`, `adm-cast:${id}`)];
  });
  const text = found.length > 0 ? `${t.usage}\n\n${t.list}` : t.usage;
  return [text, keyboard(...rows, [menuButton(turn)])];
}

function segmentCard(turn: Turn, id: number): Card {
  const t = broadcastTexts(turn.visitor.language);
  const rows = segments.map((name) => [button(t.segments[name], `adm-cast-to:${id}:${name}`)]);
  return [t.chooseSegment, keyboard(...rows, [menuButton(turn)])];
}

function confirmCard(
  turn: Turn,
  { messagesPerSecond }: CommandOptions,
  { expected, id, segment }: Campaign,
): Card {
  const t = broadcastTexts(turn.visitor.language);
  const fast = messagesPerSecond > freePerSecond;
  const rows = keyboard(
    [expected > 0 && button(t.goButton, `adm-cast-go:${id}`)],
    [expected > 0 && fast && button(t.goPaidButton, `adm-cast-go:${id}:paid`)],
    [button(t.otherButton, `adm-cast-whom:${id}`), menuButton(turn)],
  );
  const count = turn.format.count(expected);
  return [expected > 0 ? t.confirm(t.segments[segment], count) : t.nobody, rows];
}

function campaignCard(
  campaign: Campaign,
  language: Language,
  format: Format,
  menu: ReturnType<typeof button>,
): Card {
  const t = broadcastTexts(language);
  const { counts, expected, id, segment, state } = campaign;
  const done = sumOf(counts);
  const missed = expected - done;
  const lines = [
    t.card(
      String(id),
      t.states[state],
      t.segments[segment],
      format.count(done),
      format.count(expected),
    ),
    ...outcomes.map(
      (outcome) =>
        counts[outcome] > 0 && `${t.outcomes[outcome]}: ${format.count(counts[outcome])}`,
    ),
    state === "cancelled" && missed > 0 && t.notWritten(format.count(missed)),
    campaign.paid && t.paid,
  ];
  const open = state === "running" || state === "paused";
  const buttons = keyboard(
    [
      state === "running" && button(t.pauseButton, `adm-cast-pause:${id}`),
      state === "paused" && button(t.resumeButton, `adm-cast-resume:${id}`),
      open && button(t.cancelButton, `adm-cast-cancel:${id}`),
    ],
    [button(`↻ #${id}`, `adm-cast:${id}`), button(t.listButton, "adm-casts"), menu],
  );
  return [lines.filter(Boolean).join("\n"), buttons];
}
