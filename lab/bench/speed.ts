/**
 * Speed: updates a second and processor time an update when more waits than a bot can do.
 *
 * Each measurement has a bot and a sandbox of its own: people write a tenth as a warm-up, then everything
 * at once, and the last reply ends it. Rounds go through all contenders, each beginning with another one,
 * so that changes of the machine's load meet all of them.
 */
import type { BarPlot } from "./bar-plot.ts";
import type { BenchArguments, ContenderName } from "./bench-arguments.ts";
import { type Contender, contenders, programOf } from "./contender.ts";
import { peakResidentMb, processorSeconds } from "./process-usage.ts";
import { type Scene, waitForReplies, withScene } from "./scene.ts";
import { median, medians, rotated } from "./statistics.ts";
import { figure, textTable } from "./text-table.ts";

export type SpeedField = "updatesPerSecond" | "processorUs" | "peakMb";

/** Updates a second, processor time of one update, and the highest resident memory. */
export type SpeedFigures = Readonly<Record<SpeedField, number>>;

export interface SpeedRow {
  readonly name: ContenderName;
  readonly title: string;
  readonly rounds: readonly SpeedFigures[];
  readonly median: SpeedFigures;
  /** Medians of the ratios to bare Telegraf in the same round; absent when it did not take part. */
  readonly toTelegraf?: SpeedFigures;
}

export interface SpeedReport {
  readonly updates: number;
  readonly chats: number;
  readonly rounds: number;
  readonly rows: readonly SpeedRow[];
}

const roundsDefault = 3;
const chats = 500;
const firstUserId = 1_000_001;

export async function measureSpeed(
  { only, rounds = roundsDefault, updates }: BenchArguments,
  narrate: (line: string) => void,
): Promise<SpeedReport> {
  const taken = new Map(only.map((name) => [name, [] as SpeedFigures[]]));
  for (let round = 0; round < rounds; round++) {
    for (const name of rotated(only, round)) {
      const figures = await measure(contenders[name], updates);
      taken.get(name)?.push(figures);
      narrate(
        `round ${round + 1}: ${contenders[name].title}: ${figure(figures.updatesPerSecond)}/s, ` +
          `${figure(figures.processorUs)} µs, ${figure(figures.peakMb)} MB`,
      );
    }
  }
  const telegraf = taken.get("telegraf");
  const rows = [...taken].map(([name, figures]) => speedRow(contenders[name], figures, telegraf));
  return { updates, chats, rounds, rows };
}

export function speedRow(
  { name, title }: Pick<Contender, "name" | "title">,
  rounds: readonly SpeedFigures[],
  telegraf: readonly SpeedFigures[] | undefined,
): SpeedRow {
  const ratio = (field: SpeedField) =>
    median(rounds.map((round, index) => round[field] / (telegraf?.[index]?.[field] ?? Number.NaN)));
  return {
    name,
    title,
    rounds,
    median: medians(rounds),
    ...(telegraf && {
      toTelegraf: {
        updatesPerSecond: ratio("updatesPerSecond"),
        processorUs: ratio("processorUs"),
        peakMb: ratio("peakMb"),
      },
    }),
  };
}

async function measure(contender: Contender, updates: number): Promise<SpeedFigures> {
  return withScene(programOf(contender.name), async (scene) => {
    const warmUpdates = Math.ceil(updates / 10);
    await feed(scene, contender, warmUpdates, firstUserId);
    const warm = await waitForReplies(scene, { count: warmUpdates });
    const pid = scene.bot.pid ?? 0;
    const usedBefore = processorSeconds(pid);
    const { nowMs } = await scene.sandbox.describe();
    await feed(scene, contender, updates, firstUserId + (contender.newPeople ? warmUpdates : 0));
    const { replies } = await waitForReplies(scene, {
      after: warm.sequence,
      count: updates,
    });
    const usedSeconds = processorSeconds(pid) - usedBefore;
    const lastAtMs = replies.reduce((last, { atMs }) => Math.max(last, atMs), nowMs);
    return {
      updatesPerSecond: updates / ((lastAtMs - nowMs) / 1_000),
      processorUs: (usedSeconds * 1e6) / updates,
      peakMb: peakResidentMb(pid),
    };
  });
}

async function feed({ sandbox }: Scene, contender: Contender, count: number, firstId: number) {
  const users = contender.newPeople ? count : chats;
  await sandbox.feed({ count, users, firstUserId: firstId, text: contender.text });
}

export function speedText({ chats: inChats, rounds, rows, updates }: SpeedReport): string {
  const head = ["", "updates/s", "ratio", "processor", "ratio", "peak RSS", "ratio"];
  const lines = rows.map(({ median: middle, title, toTelegraf }) => [
    title,
    figure(middle.updatesPerSecond),
    figure(toTelegraf?.updatesPerSecond ?? Number.NaN, 2),
    figure(middle.processorUs, 0, " µs"),
    figure(toTelegraf?.processorUs ?? Number.NaN, 2),
    figure(middle.peakMb, 0, " MB"),
    figure(toTelegraf?.peakMb ?? Number.NaN, 2),
  ]);
  return [
    `Speed: ${updates} updates in ${inChats} chats, one reply each; medians of ${count(rounds)},`,
    "processor time an update, ratios to bare Telegraf in the same round",
    textTable([head, ...lines]),
  ].join("\n");
}

export function speedPlot({ chats: inChats, rounds, rows, updates }: SpeedReport): BarPlot {
  return {
    title: "Updates a second, one reply each",
    subtitle: `${updates} updates in ${inChats} chats, medians of ${count(rounds)}; processor time an update`,
    bars: rows.map(({ median: middle, name, title }) => ({
      label: title,
      value: middle.updatesPerSecond,
      note: `${figure(middle.updatesPerSecond)}/s, ${figure(middle.processorUs)} µs`,
      ours: name.startsWith("this-bot"),
    })),
  };
}

function count(rounds: number): string {
  return rounds === 1 ? "1 round" : `${rounds} rounds`;
}
