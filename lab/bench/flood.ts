/**
 * Flood: how much of the rate that Telegram allows is used while more waits, and whether it is exceeded.
 *
 * A broadcast of low priority wants all of it, and people who write get their replies in between: at 30
 * messages a second beside one group, with a sandbox that refuses what is too much; and at a thousand, as
 * for a bot that pays. The sandbox counts the violations in sliding windows.
 */
import type { JournalEntry, ViolationRule } from "../../sandbox/control-api.ts";
import { nowMs, pause } from "../drill/bot-process.ts";
import type { BenchArguments } from "./bench-arguments.ts";
import { broadcastScene, isBroadcastChat } from "./broadcast.ts";
import { LightClient, openLoop } from "./open-loop.ts";
import { type Scene, withScene } from "./scene.ts";
import { percentile, usedShare } from "./statistics.ts";
import { figure, textTable } from "./text-table.ts";

interface FloodCase {
  readonly title: string;
  /** Messages a second that are allowed. */
  readonly perSecond: number;
  /** Updates a second from people whose chats are not in the broadcast. */
  readonly repliesPerSecond: number;
  readonly flood: "off" | "strict";
}

export interface FloodRow {
  readonly title: string;
  readonly perSecond: number;
  /** Share of the allowed rate that was used, from 0. */
  readonly used: number;
  readonly violations: number;
  /** Sends that the sandbox refused with 429. */
  readonly refused: number;
  readonly replies: number;
  /** Milliseconds from the writing to the reply. */
  readonly replyP99Ms: number;
}

export interface FloodReport {
  readonly seconds: number;
  readonly rows: readonly FloodRow[];
}

const cases: readonly FloodCase[] = [
  { title: "mixed", perSecond: 30, repliesPerSecond: 5, flood: "strict" },
  { title: "paid", perSecond: 1_000, repliesPerSecond: 50, flood: "off" },
];

const secondsDefault = 20;
/** The first second holds the burst with which every limit begins. */
const warmSeconds = 2;
const groupEveryMs = 4_000;
const memberId = 42;
const firstUserId = 3_000_001;
/** All but `possible-duplicate`: a process that dies between a send and its answer sends again. */
export const floodRules: readonly ViolationRule[] = [
  "chat-per-second",
  "group-per-minute",
  "bot-per-second",
  "send-after-block",
  "duplicate",
  "order-broken",
];

export async function measureFlood(
  { seconds = secondsDefault }: BenchArguments,
  narrate: (line: string) => void,
): Promise<FloodReport> {
  const rows: FloodRow[] = [];
  for (const floodCase of cases) {
    const row = await measure(floodCase, seconds);
    rows.push(row);
    narrate(`${row.title}: ${figure(row.used * 100, 1)} % of ${row.perSecond}/s`);
  }
  return { seconds, rows };
}

async function measure(floodCase: FloodCase, seconds: number): Promise<FloodRow> {
  const { flood, perSecond, repliesPerSecond, title } = floodCase;
  // Sending begins while the rest is being queued, and something must wait until the end.
  const chats = perSecond * ((seconds + warmSeconds) * 1.5 + 5);
  return withScene(broadcastScene({ perSecond, chats, flood }), async ({ sandbox }) => {
    const written = new Map<number, number>();
    const client = new LightClient(sandbox.url);
    const startedAtMs = nowMs();
    const fromMs = startedAtMs + warmSeconds * 1_000;
    const toMs = fromMs + seconds * 1_000;
    try {
      const people = openLoop(
        (warmSeconds + seconds) * repliesPerSecond,
        repliesPerSecond,
        async (index, intendedAtMs) => {
          written.set(firstUserId + index, intendedAtMs);
          await client.write(firstUserId + index, "/help");
        },
      );
      await Promise.all([people, talkInGroup(sandbox, toMs)]);
      await pause(Math.max(0, toMs - nowMs()) + 1_000);
    } finally {
      await client.close();
    }
    const entries = await sandbox.journalAll({ method: "sendMessage" });
    const sent = entries.flatMap(({ executedAtMs }) =>
      executedAtMs === null ? [] : [executedAtMs],
    );
    if (!stillWaiting(entries, chats)) throw new Error(`${title}: the broadcast ended too early`);
    const took = replyTimes(entries, written);
    return {
      title,
      perSecond,
      used: usedShare(sent, perSecond, fromMs, toMs),
      violations: (await sandbox.violations({ rules: floodRules, botPerSecond: perSecond })).length,
      refused: entries.filter(({ status }) => status === 429).length,
      replies: took.length,
      replyP99Ms: percentile(took, 0.99),
    };
  });
}

async function talkInGroup(sandbox: Scene["sandbox"], untilMs: number): Promise<void> {
  const { id } = await sandbox.createGroup({ title: "Group", memberIds: [memberId] });
  while (nowMs() < untilMs) {
    await sandbox.write({ userId: memberId, chatId: id, text: "/help" });
    await pause(groupEveryMs);
  }
}

function stillWaiting(entries: readonly JournalEntry[], chats: number): boolean {
  return entries.filter(({ chatId }) => isBroadcastChat(chatId)).length < chats;
}

function replyTimes(
  entries: readonly JournalEntry[],
  written: ReadonlyMap<number, number>,
): readonly number[] {
  return entries.flatMap(({ chatId, executedAtMs }) => {
    const writtenAtMs = written.get(chatId ?? 0);
    return writtenAtMs === undefined || executedAtMs === null ? [] : [executedAtMs - writtenAtMs];
  });
}

export function floodText({ rows, seconds }: FloodReport): string {
  const head = ["", "allowed", "used", "violations", "429", "replies", "their p99"];
  const lines = rows.map((row) => [
    row.title,
    `${row.perSecond}/s`,
    figure(row.used * 100, 1, " %"),
    String(row.violations),
    String(row.refused),
    String(row.replies),
    figure(row.replyP99Ms, 0, " ms"),
  ]);
  return [
    `Flood control: a broadcast and replies for ${seconds} s, while more waits than is allowed`,
    textTable([head, ...lines]),
  ].join("\n");
}
