/**
 * Memory: what a bot takes at rest, at Telegram's rate, in a burst and after it; its starts and kills.
 *
 * One process goes through the four phases. Memory is the middle of samples, but for the burst, where it
 * is the kernel's highest figure since the start. The kills have scenes of their own: the process is
 * killed, somebody writes, it is started again at once, and the reply ends it. What waits is a broadcast at
 * 30 messages a second.
 */
import { nowMs, pause } from "../drill/bot-process.ts";
import type { BenchArguments, ContenderName } from "./bench-arguments.ts";
import { broadcastScene, limitedTo } from "./broadcast.ts";
import { contenders, programOf } from "./contender.ts";
import { LightClient, openLoop } from "./open-loop.ts";
import { peakResidentMb, processorSeconds, residentMb } from "./process-usage.ts";
import { type Scene, waitForReplies, withScene } from "./scene.ts";
import { median } from "./statistics.ts";
import { figure, textTable } from "./text-table.ts";

export interface Phase {
  readonly residentMb: number;
  /** Use of one processor, from 0. */
  readonly processorShare: number;
}

export interface MemoryRow {
  readonly name: ContenderName;
  readonly title: string;
  readonly firstPollMs: number;
  readonly idle: Phase;
  readonly steady: Phase;
  readonly burstPeakMb: number;
  /** Seconds until the burst was answered. */
  readonly burstSeconds: number;
  /** Resident memory after each 50,000 updates of the burst. */
  readonly portionsMb: readonly number[];
  readonly after: Phase;
}

export interface KillRow {
  readonly name: ContenderName;
  readonly title: string;
  readonly waiting: number;
  /** Milliseconds from the kill to the reply, in each round and their median. */
  readonly rounds: readonly number[];
  readonly answerMs: number;
}

export interface MemoryReport {
  readonly seconds: number;
  readonly perSecond: number;
  readonly burst: number;
  readonly rows: readonly MemoryRow[];
  readonly kills: readonly KillRow[];
}

const measured: readonly ContenderName[] = ["this-bot", "telegraf"];
const roundsDefault = 3;
const secondsDefault = 15;
/** After this time a start is over. */
const startMs = 4_000;
const sampleEveryMs = 200;
const perSecond = 30;
const chats = 500;
const portionMax = 50_000;
const firstUserId = 1_000_001;
const callerId = 999_999;
/** More people than a broadcast reaches before the caller is answered. */
const knownChats = 5_000;

export async function measureMemory(
  options: BenchArguments,
  narrate: (line: string) => void,
): Promise<MemoryReport> {
  const { burst, only, rounds = roundsDefault, seconds = secondsDefault, waiting } = options;
  const names = measured.filter((name) => only.includes(name));
  const rows: MemoryRow[] = [];
  const kills: KillRow[] = [];
  for (const name of names) {
    const row = await measurePhases(name, { ...options, seconds });
    rows.push(row);
    narrate(
      `${row.title}: idle ${figure(row.idle.residentMb)} MB, burst ${figure(row.burstPeakMb)} MB`,
    );
    // Only this bot has anything that waits.
    for (const count of waiting.filter((count) => count === 0 || name === "this-bot")) {
      const took: number[] = [];
      for (let round = 0; round < rounds; round++) {
        took.push(await killAndAnswer(name, count));
        narrate(`${row.title}: killed with ${count} waiting: ${figure(took.at(-1) ?? NaN)} ms`);
      }
      const { title } = contenders[name];
      kills.push({ name, title, waiting: count, rounds: took, answerMs: median(took) });
    }
  }
  return { seconds, perSecond, burst, rows, kills };
}

async function measurePhases(
  name: ContenderName,
  { burst, seconds, settleSeconds }: BenchArguments & { readonly seconds: number },
) {
  const settleMs = settleSeconds * 1_000;
  return withScene(programOf(name), async (scene): Promise<MemoryRow> => {
    const client = new LightClient(scene.sandbox.url);
    const pid = scene.bot.pid ?? 0;
    try {
      await pause(settleMs);
      const idle = await observe(pid, pause(seconds * 1_000));
      const count = seconds * perSecond;
      const write = (index: number) => client.write(firstUserId + (index % chats), "/help");
      const steady = await observe(pid, openLoop(count, perSecond, write));
      const { sequence } = await waitForReplies(scene, { count });
      const { burstSeconds, portionsMb } = await playBurst(scene, sequence, burst);
      const burstPeakMb = peakResidentMb(pid);
      await pause(settleMs);
      const after = await observe(pid, pause(seconds * 1_000));
      const { title } = contenders[name];
      const { firstPollAfterMs: firstPollMs } = scene;
      return {
        name,
        title,
        firstPollMs,
        idle,
        steady,
        burstPeakMb,
        burstSeconds,
        portionsMb,
        after,
      };
    } finally {
      await client.close();
    }
  });
}

/**
 * More than the sandbox holds comes in portions.
 *
 * @returns seconds until everything was answered, and the memory after each portion.
 */
async function playBurst(scene: Scene, after: number, count: number) {
  const startedAtMs = nowMs();
  const portionsMb: number[] = [];
  let lastAtMs = startedAtMs;
  for (let left = count, sequence = after; left > 0; left -= portionMax) {
    const portion = Math.min(left, portionMax);
    await scene.sandbox.feed({ count: portion, users: chats, firstUserId, text: "/help" });
    const seen = await waitForReplies(scene, { after: sequence, count: portion });
    sequence = seen.sequence;
    lastAtMs = seen.replies.reduce((last, { atMs }) => Math.max(last, atMs), lastAtMs);
    portionsMb.push(residentMb(scene.bot.pid ?? 0));
  }
  return { burstSeconds: (lastAtMs - startedAtMs) / 1_000, portionsMb };
}

/** What the process uses until `end`. */
async function observe(pid: number, end: Promise<void>): Promise<Phase> {
  const samples: number[] = [];
  const [startedAtMs, usedBefore] = [nowMs(), processorSeconds(pid)];
  let over = false;
  const ending = end.finally(() => {
    over = true;
  });
  while (!over) {
    samples.push(residentMb(pid));
    await Promise.race([ending, pause(sampleEveryMs)]);
  }
  await ending;
  const processorShare = (processorSeconds(pid) - usedBefore) / ((nowMs() - startedAtMs) / 1_000);
  return { residentMb: median(samples), processorShare };
}

/** @returns milliseconds from the kill to the reply of the next process. */
async function killAndAnswer(name: ContenderName, waiting: number): Promise<number> {
  const known = Math.min(waiting, knownChats);
  const crowded = waiting > 0 && broadcastScene({ perSecond, chats: waiting, known });
  return withScene(crowded || programOf(name), async ({ bot, sandbox, successor }) => {
    await pause(startMs);
    const next = successor({ ...programOf(name), ...(crowded && { env: limitedTo(perSecond) }) });
    const { sequence = 0 } = (await sandbox.journalAll({ method: "sendMessage" })).at(-1) ?? {};
    const killedAtMs = nowMs();
    await bot.kill();
    next.start();
    await sandbox.write({ userId: callerId, text: "/help" });
    const isReply = (chatId: number) => chatId === callerId;
    const wanted = { after: sequence, count: 1, isReply };
    const { replies } = await waitForReplies({ bot: next, sandbox }, wanted);
    return (replies[0]?.atMs ?? Number.NaN) - killedAtMs;
  });
}

export function memoryText({ burst, kills, perSecond: rate, rows, seconds }: MemoryReport): string {
  const head = ["", ...rows.map(({ title }) => title)];
  const line = (what: string, cell: (row: MemoryRow) => string) => [what, ...rows.map(cell)];
  const phase = ({ processorShare, residentMb: mb }: Phase) =>
    `${figure(mb, 0, " MB")}, ${figure(processorShare * 100, 1, " %")}`;
  const killLines = [...new Set(kills.map(({ waiting }) => waiting))].map((waiting) =>
    line(`kill -9 to the reply, ${waiting} waiting`, ({ name }) => {
      const kill = kills.find((row) => row.name === name && row.waiting === waiting);
      return figure(kill?.answerMs ?? Number.NaN, 0, " ms");
    }),
  );
  return [
    `Memory: resident, and use of one processor; phases of ${seconds} s, kills: medians`,
    textTable([
      head,
      line("start to the first poll", ({ firstPollMs }) => figure(firstPollMs, 0, " ms")),
      line("idle", ({ idle }) => phase(idle)),
      line(`at ${rate} updates/s`, ({ steady }) => phase(steady)),
      line(`peak, burst of ${burst}`, (row) => figure(row.burstPeakMb, 0, " MB")),
      line("the burst is answered after", (row) => figure(row.burstSeconds, 1, " s")),
      line("after the burst", ({ after }) => phase(after)),
      ...killLines,
    ]),
  ].join("\n");
}
