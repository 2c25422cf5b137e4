/**
 * Campaigns: one message to many people, to nobody twice and to nobody unnoticed not at all.
 *
 * A campaign walks through the people of its segment in turns. A turn is one transaction: it counts what
 * has become of the messages that it awaits, takes the next people, moves the position, and its caller
 * queues their messages and the next turn in the same commit. So what is on disk always says who was
 * written to. A message that was cut off is counted as unclear and not repeated. Every message has a key of
 * campaign and person; more than `batch` never wait at a time.
 */
import { type KeyState, outboxKeyName } from "../../core/keyed-messages.ts";
import type { Transaction } from "../../core/transaction.ts";
import { type ActKind, noteAct } from "../admin/acts.ts";
import {
  type Awaited,
  type Campaign,
  campaignsOf,
  type Outcome,
  type Segment,
} from "./campaign-tables.ts";
import { peopleAfter } from "./segments.ts";

/** Milliseconds between two turns at most. */
export const turnMs = 1_000;
const turnMsMin = 50;
/** About what a turn queues, and at most, so that it is short: everybody else waits for its transaction. */
const perTurn = 30;
const perTurnMax = 100;
/** So many people in a row who still wait end a turn's look at outcomes: messages are sent in about their order. */
const stillWaitingMax = 50;
/** Milliseconds between two edits of the card. Source: Telegram allows about one message per second in a chat. */
export const cardEveryMs = 3_000;
/** The most accounts that one turn looks at, so that its transaction stays short. */
const accountsPerTurn = 1_000;

export interface CampaignTurn {
  readonly campaign: Campaign;
  /** Whose messages are queued in the same commit. */
  readonly recipients: readonly number[];
  /** When the next turn is due, in milliseconds; `undefined`: nothing is to be done. */
  readonly nextMs: number | undefined;
  /** Whether the card is edited now. */
  readonly shows: boolean;
}

/** The key of a person's message, for `kit.outbox`. */
export function keyOf({ id }: Pick<Campaign, "id">, userId: number): string {
  return `campaign:${id}:${userId}`;
}

/** The key of an edit of the card. */
export function cardKeyOf({ id }: Pick<Campaign, "id">, edits: number): string {
  return `campaign-card:${id}:${edits}`;
}

/** How many messages of a campaign wait at most: what is sent in about four seconds. */
export function batchOf(messagesPerSecond: number): number {
  return Math.min(1_000, Math.max(200, 4 * messagesPerSecond));
}

/** Milliseconds between two turns: the faster messages leave, the more often a few are queued. */
export function turnMsOf(messagesPerSecond: number): number {
  return Math.max(turnMsMin, Math.min(turnMs, (perTurn * 1_000) / messagesPerSecond));
}

/** The dead letters among the messages that a campaign awaits. */
export async function deadLettersOf(tx: Transaction, campaignId: number): Promise<number[]> {
  const ids: number[] = [];
  let inARow = 0;
  for (const { aside, userId } of await campaignsOf(tx).awaited(campaignId)) {
    if (aside) continue;
    if (inARow === stillWaitingMax) break;
    const state = await stateOf(tx, { id: campaignId }, userId);
    inARow = isOpen(state) ? inARow + 1 : 0;
    if (state.kind === "dead") ids.push(state.deadLetterId);
  }
  return ids;
}

function isOpen({ kind }: KeyState): boolean {
  return kind === "waiting" || kind === "in-hand";
}

/**
 * Takes one turn.
 *
 * @param chain The chain that the task belongs to.
 * @param letters What dead letters say, as far as they were looked at; the others are left for the next turn.
 * @returns `undefined` when this task has nothing to do: another chain took over, or the campaign is over.
 */
export async function takeTurn(
  tx: Transaction,
  campaignId: number,
  chain: number,
  letters: ReadonlyMap<number, Outcome>,
  batch: number,
): Promise<CampaignTurn | undefined> {
  const found = await campaignsOf(tx).findCampaign(campaignId);
  if (!found || found.chain !== chain || found.state === "draft" || found.state === "done") {
    return undefined;
  }
  const { counts, waiting } = await countOutcomes(tx, found, letters);
  const queued = waiting.filter(({ aside }) => !aside);
  let campaign: Campaign = { ...found, counts };
  const recipients: number[] = [];
  if (campaign.state === "running" && queued.length < batch) {
    const room = Math.min(batch - queued.length, perTurnMax);
    const resumed = waiting.filter(({ aside }) => aside).slice(0, room);
    recipients.push(...resumed.map(({ userId }) => userId));
    const walk = await walkOn(tx, campaign, room - recipients.length);
    recipients.push(...walk.userIds);
    campaign = { ...campaign, position: walk.position, walked: walk.walked };
    for (const userId of recipients) {
      await campaignsOf(tx).putAwaited(campaign.id, { userId, aside: false });
    }
    const everybody = walk.walked && waiting.length + recipients.length === 0;
    if (everybody) campaign = { ...campaign, state: "done", expected: sumOf(counts) };
  }
  const over = campaign.state !== "running" && queued.length === 0;
  campaign = await withCard(tx, campaign, over);
  const ended = over && campaign.state !== "paused";
  // Nothing of it changes any more, so its message is left as it is.
  await campaignsOf(tx).saveCampaign(ended ? { ...campaign, card: undefined } : campaign);
  return {
    campaign,
    recipients,
    nextMs: over ? undefined : turnMs,
    shows: campaign.card !== undefined && campaign.card.edits !== found.card?.edits,
  };
}

/** Takes the outcomes that are known out of what is awaited. */
async function countOutcomes(
  tx: Transaction,
  campaign: Campaign,
  letters: ReadonlyMap<number, Outcome>,
) {
  const counts = { ...campaign.counts };
  const waiting: Awaited[] = [];
  let inARow = 0;
  for (const one of await campaignsOf(tx).awaited(campaign.id)) {
    const looks = !one.aside && inARow < stillWaitingMax;
    const state = looks ? await stateOf(tx, campaign, one.userId) : undefined;
    if (state) inARow = isOpen(state) ? inARow + 1 : 0;
    const outcome =
      state?.kind === "done"
        ? "sent"
        : state?.kind === "dead"
          ? letters.get(state.deadLetterId)
          : // Its dead letter was deleted, or its key is forgotten because the bot was down for days.
            state?.kind === "unknown"
            ? "unclear"
            : undefined;
    if (outcome === undefined) {
      waiting.push(one);
      continue;
    }
    counts[outcome]++;
    await campaignsOf(tx).removeAwaited(campaign.id, one.userId);
  }
  return { counts, waiting };
}

/** Looks at accounts until there are as many people as there is room for. */
async function walkOn(tx: Transaction, campaign: Campaign, room: number) {
  let { position, walked } = campaign;
  const userIds: number[] = [];
  const untilEpochMs = campaign.startedAtEpochMs ?? 0;
  for (let seen = 0; seen < accountsPerTurn && userIds.length < room && !walked; ) {
    const limit = room - userIds.length;
    const page = await peopleAfter(tx, campaign.segment, untilEpochMs, position, limit);
    userIds.push(...page.userIds);
    seen += limit;
    position = page.position;
    walked = page.ended;
  }
  return { userIds, position, walked };
}

/** Counts one more edit of the card if one is due. A card that cannot be edited, since it was deleted, is left. */
async function withCard(tx: Transaction, campaign: Campaign, over: boolean): Promise<Campaign> {
  const { card } = campaign;
  if (!card) return campaign;
  if (!over && tx.nowEpochMs - card.editedAtEpochMs < cardEveryMs) return campaign;
  const last = await tx.messages.find(outboxKeyName(cardKeyOf(campaign, card.edits)));
  if (last.kind === "dead") return { ...campaign, card: undefined };
  return { ...campaign, card: { ...card, edits: card.edits + 1, editedAtEpochMs: tx.nowEpochMs } };
}

function stateOf(tx: Transaction, campaign: Pick<Campaign, "id">, userId: number) {
  return tx.messages.find(outboxKeyName(keyOf(campaign, userId)));
}

/** How many people's outcome is known. */
export function sumOf(counts: Campaign["counts"]): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Chooses whom a draft is for. @returns `undefined` when it is no draft any more. */
export async function chooseSegment(
  tx: Transaction,
  id: number,
  segment: Segment,
  expected: number,
): Promise<Campaign | undefined> {
  const campaign = await campaignsOf(tx).findCampaign(id);
  if (campaign?.state !== "draft") return undefined;
  const chosen = { ...campaign, segment, expected };
  await campaignsOf(tx).saveCampaign(chosen);
  return chosen;
}

/** An act of an administrator on a campaign. */
export type CampaignAct = "go" | "pause" | "resume" | "cancel" | "look";

const acts: Readonly<Record<Exclude<CampaignAct, "look">, ActKind>> = {
  go: "broadcast",
  pause: "broadcast-pause",
  resume: "broadcast-resume",
  cancel: "broadcast-cancel",
};

const from: Readonly<Record<CampaignAct, readonly Campaign["state"][]>> = {
  go: ["draft"],
  pause: ["running"],
  resume: ["paused"],
  cancel: ["running", "paused"],
  look: ["running", "paused", "cancelled", "done"],
};

/**
 * Carries out an act, and begins a new chain of turns: its caller queues the first one in the same commit.
 *
 * @param card The message that shows the campaign from now on.
 * @returns `undefined` when the campaign is in no state for it.
 */
export async function act(
  tx: Transaction,
  adminId: number,
  id: number,
  what: CampaignAct,
  card: Pick<NonNullable<Campaign["card"]>, "chatId" | "messageId">,
  paid = false,
): Promise<Campaign | undefined> {
  const found = await campaignsOf(tx).findCampaign(id);
  if (!found || !from[what].includes(found.state)) return undefined;
  const edits = (found.card?.edits ?? 0) + 1;
  let campaign: Campaign = {
    ...found,
    chain: found.chain + 1,
    card: { ...card, edits, editedAtEpochMs: tx.nowEpochMs },
  };
  switch (what) {
    case "go":
      campaign = { ...campaign, state: "running", paid, startedAtEpochMs: tx.nowEpochMs };
      break;
    case "pause":
      campaign = { ...campaign, state: "paused" };
      await takeBack(tx, campaign, true);
      break;
    case "resume":
      campaign = { ...campaign, state: "running" };
      break;
    case "cancel":
      campaign = { ...campaign, state: "cancelled" };
      await takeBack(tx, campaign, false);
      break;
    case "look":
      break;
  }
  if (what !== "look") await noteAct(tx, { adminId, kind: acts[what], subject: `campaign:${id}` });
  await campaignsOf(tx).saveCampaign(campaign);
  return campaign;
}

/** Takes what waits out of the queue; what is in hand is counted by a later turn. */
async function takeBack(tx: Transaction, campaign: Campaign, keep: boolean): Promise<void> {
  for (const { aside, userId } of await campaignsOf(tx).awaited(campaign.id)) {
    const taken = aside || (await tx.messages.cancel(outboxKeyName(keyOf(campaign, userId))));
    if (!taken) continue;
    if (keep) await campaignsOf(tx).putAwaited(campaign.id, { userId, aside: true });
    else await campaignsOf(tx).removeAwaited(campaign.id, userId);
  }
}

/** Writes a draft down. */
export async function draft(
  tx: Transaction,
  adminId: number,
  content: Campaign["content"],
): Promise<number> {
  return campaignsOf(tx).addCampaign(adminId, content, tx.nowEpochMs);
}
