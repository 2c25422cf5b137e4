/**
 * Situation: what happens beside the traffic whose latency is measured.
 *
 * - alone: nothing.
 * - stuck: somebody writes every second, and Telegram never answers the replies to them.
 * - broadcast: a broadcast of low priority takes what is left of a thousand messages a second.
 * - health: requests to /api/health, at fixed instants.
 * - crowd: nothing, but the shop has 100,000 accounts, and Telegram's limits are on.
 * - campaign: the same, and the shop's own /broadcast to all of them.
 * - checkouts: the same, and people who pay.
 */
import { nowMs, pause } from "../drill/bot-process.ts";
import type { ContenderName, SituationName } from "./bench-arguments.ts";
import { broadcastScene, isBroadcastChat } from "./broadcast.ts";
import { beginCampaign, countCampaign, crowdScene, makeInvoices, payAll } from "./campaign.ts";
import { programOf } from "./contender.ts";
import { LightClient, openLoop } from "./open-loop.ts";
import type { Scene, SceneOptions, Span } from "./scene.ts";
import type { Latencies } from "./statistics.ts";

/** How often what happened beside, while it counted. */
export interface Beside {
  readonly counts: Readonly<Record<string, number>>;
  /** How long check-outs waited for their answer. */
  readonly checkouts?: Latencies;
}

/** Rates that are asked for. */
export interface Rates {
  /** Health requests a second. */
  readonly requests: number;
  /** Messages a second that a crowd's bot may send. */
  readonly allowed: number;
}

export interface Situation {
  /** Only this bot has broadcasts and health. */
  readonly contenders: readonly ContenderName[];
  /** The situation that its p99 is put beside. Default `alone`. */
  readonly baseline?: SituationName;
  scene(name: ContenderName, span: Span, rates: Rates): SceneOptions;
  /** Comes before the traffic. Default: nothing. */
  begin?(scene: Scene): Promise<void>;
  /** Begins with the traffic, and resolves some time after the span. */
  beside(scene: Scene, span: Span, rates: Rates): Promise<Beside>;
}

const stuckUserId = 2_999_999;
const broadcastPerSecond = 1_000;

const nothing = async (): Promise<Beside> => ({ counts: {} });
const ofCrowd = {
  contenders: ["this-bot"],
  scene: (_: ContenderName, span: Span, { allowed }: Rates) => crowdScene(allowed, span),
} as const;

export const situations: Readonly<Record<SituationName, Situation>> = {
  alone: { contenders: ["this-bot", "telegraf"], scene: programOf, beside: nothing },
  stuck: { contenders: ["this-bot", "telegraf"], scene: programOf, beside: stick },
  broadcast: { contenders: ["this-bot"], scene: longBroadcast, beside: countBroadcast },
  health: { contenders: ["this-bot"], scene: programOf, beside: askHealth },
  crowd: { ...ofCrowd, beside: nothing },
  campaign: {
    ...ofCrowd,
    baseline: "crowd",
    begin: beginCampaign,
    beside: async (scene, span) => ({ counts: await campaignCounts(scene, span) }),
  },
  checkouts: {
    ...ofCrowd,
    baseline: "crowd",
    begin: async (scene) => {
      await makeInvoices(scene);
      await beginCampaign(scene);
    },
    beside: async (scene, span) => {
      const both = [campaignCounts(scene, span), payAll(scene, span)] as const;
      const [counts, checkouts] = await Promise.all(both);
      return { counts, checkouts };
    },
  },
};

async function campaignCounts(scene: Scene, span: Span) {
  return { "messages of the campaign": await countCampaign(scene, span) };
}

async function stick({ sandbox }: Scene, { seconds, warmSeconds }: Span): Promise<Beside> {
  const fault = { kind: "hang" } as const;
  await sandbox.addFault({ match: "sendMessage", chatId: stuckUserId, fault });
  await pause(warmSeconds * 1_000);
  await openLoop(seconds, 1, async () => {
    await sandbox.write({ userId: stuckUserId, text: "/help" });
  });
  return { counts: { "updates of the stuck chat": seconds } };
}

/** The broadcast is longer than what can be sent in the span. */
function longBroadcast(_: ContenderName, { seconds, warmSeconds }: Span): SceneOptions {
  const chats = (seconds + warmSeconds + 30) * broadcastPerSecond;
  return broadcastScene({ perSecond: broadcastPerSecond, chats });
}

async function countBroadcast({ sandbox }: Scene, { seconds, warmSeconds }: Span): Promise<Beside> {
  const fromMs = nowMs() + warmSeconds * 1_000;
  const toMs = fromMs + seconds * 1_000;
  await pause(toMs - nowMs());
  const entries = await sandbox.journalAll({ method: "sendMessage" });
  const counted = entries.filter(
    ({ chatId, executedAtMs }) =>
      isBroadcastChat(chatId) &&
      executedAtMs !== null &&
      executedAtMs >= fromMs &&
      executedAtMs < toMs,
  );
  return { counts: { "messages of the broadcast": counted.length } };
}

async function askHealth(
  scene: Scene,
  span: Span,
  { requests: requestsPerSecond }: Rates,
): Promise<Beside> {
  const { seconds, warmSeconds } = span;
  const client = new LightClient(await scene.bot.monitoringUrl());
  const answers: Record<string, number> = {};
  try {
    await openLoop(
      (warmSeconds + seconds) * requestsPerSecond,
      requestsPerSecond,
      async (index) => {
        const name = `health requests, HTTP ${await client.get("/api/health")}`;
        if (index >= warmSeconds * requestsPerSecond) answers[name] = (answers[name] ?? 0) + 1;
      },
    );
  } finally {
    await client.close();
  }
  return { counts: answers };
}
