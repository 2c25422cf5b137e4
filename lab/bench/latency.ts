/**
 * Latency: how long people wait for their reply, at rates that a bot can keep up with.
 *
 * An open loop lets people write at fixed instants; latency is from the instant that was meant until the
 * sandbox executes the reply. Every update comes from a chat of its own, so that a reply identifies it.
 * Each turn has a bot and a sandbox of its own, and a few seconds at the same rate before it counts. What has
 * to be made before traffic begins, such as the invoices of those who pay, is not counted.
 */
import type { BenchArguments, ContenderName, SituationName } from "./bench-arguments.ts";
import { contenders } from "./contender.ts";
import { LightClient, openLoop } from "./open-loop.ts";
import { waitForReplies, withScene } from "./scene.ts";
import { type Beside, type Rates, situations } from "./situation.ts";
import { type Latencies, latenciesOf, median, rotated } from "./statistics.ts";
import { figure, textTable } from "./text-table.ts";

export interface Turn {
  readonly name: ContenderName;
  readonly situation: SituationName;
  readonly perSecond: number;
}

export interface TurnFigures extends Latencies {
  readonly beside: Beside;
}

export interface LatencyRow extends Turn {
  readonly rounds: readonly TurnFigures[];
  /** Medians of the rounds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly unanswered: number;
  /** Median of p99 minus bare Telegraf's in the same round and situation, at the same rate. */
  readonly p99OverTelegrafMs?: number;
  /** Median of p99 divided by the same bot's alone in the same round, at the same rate. */
  readonly p99ToAlone?: number;
}

export interface LatencyReport {
  readonly seconds: number;
  readonly rounds: number;
  readonly rows: readonly LatencyRow[];
}

const roundsDefault = 1;
const secondsDefault = 20;
const warmSeconds = 4;
/** How long after the last reply another one may come. */
const patienceMs = 5_000;
const firstUserId = 3_000_001;

const besideWords: Readonly<Record<SituationName, string>> = {
  alone: "nothing",
  stuck: "one chat stuck",
  broadcast: "a broadcast",
  health: "health requests",
  crowd: "100,000 accounts",
  campaign: "/broadcast to them",
  checkouts: "and check-outs",
};

/** Alone at every rate; the other situations at the middle one. */
export function planTurns({
  only,
  rates,
  situations: names,
}: Pick<BenchArguments, "only" | "rates" | "situations">): readonly Turn[] {
  const middle = rates.toSorted((one, other) => one - other)[Math.floor((rates.length - 1) / 2)];
  return names.flatMap((situation) =>
    rates
      .filter((rate) => situation === "alone" || rate === middle)
      .flatMap((perSecond) =>
        situations[situation].contenders
          .filter((name) => only.includes(name))
          .map((name) => ({ name, situation, perSecond })),
      ),
  );
}

export async function measureLatency(
  options: BenchArguments,
  narrate: (line: string) => void,
): Promise<LatencyReport> {
  const { rounds = roundsDefault, seconds = secondsDefault } = options;
  const turns = planTurns(options);
  const taken = new Map(turns.map((turn) => [turn, [] as TurnFigures[]]));
  for (let round = 0; round < rounds; round++) {
    for (const turn of rotated(turns, round)) {
      const figures = await play(turn, seconds, options);
      taken.get(turn)?.push(figures);
      const { p50Ms, p99Ms, p999Ms } = figures;
      const [title, situation, rate] = words(turn);
      const milliseconds = [p50Ms, p99Ms, p999Ms].map((ms) => figure(ms, 1)).join(", ");
      narrate(`round ${round + 1}: ${title}, ${situation}, ${rate}/s: ${milliseconds} ms`);
    }
  }
  return { seconds, rounds, rows: latencyRows(taken) };
}

async function play(turn: Turn, seconds: number, rates: Rates): Promise<TurnFigures> {
  const { name, perSecond } = turn;
  const situation = situations[turn.situation];
  const span = { warmSeconds, seconds };
  return withScene(situation.scene(name, span, rates), async (scene) => {
    await situation.begin?.(scene);
    const writer = new LightClient(scene.sandbox.url);
    try {
      const warm = warmSeconds * perSecond;
      const count = warm + seconds * perSecond;
      const intended = new Map<number, number>();
      const writing = openLoop(count, perSecond, async (index, intendedAtMs) => {
        if (index >= warm) intended.set(firstUserId + index, intendedAtMs);
        await writer.write(firstUserId + index, "/help");
      });
      const [beside] = await Promise.all([situation.beside(scene, span, rates), writing]);
      const { replies } = await waitForReplies(scene, {
        count,
        patienceMs,
        isReply: (chatId) => chatId >= firstUserId && chatId < firstUserId + count,
      });
      return { ...latenciesOf(intended, replies), beside };
    } finally {
      await writer.close();
    }
  });
}

/** Puts every turn beside bare Telegraf, and beside the same bot alone. */
export function latencyRows(taken: ReadonlyMap<Turn, readonly TurnFigures[]>): LatencyRow[] {
  const p99sOf = ({ name, perSecond, situation }: Turn) =>
    [...taken]
      .find(
        ([turn]) =>
          turn.name === name && turn.situation === situation && turn.perSecond === perSecond,
      )?.[1]
      .map(({ p99Ms }) => p99Ms);
  return [...taken].map(([turn, rounds]) => {
    const middle = (field: keyof Latencies) => median(rounds.map((round) => round[field]));
    const telegraf = turn.name === "telegraf" ? undefined : p99sOf({ ...turn, name: "telegraf" });
    const { baseline = "alone" } = situations[turn.situation];
    const alone =
      turn.situation === baseline ? undefined : p99sOf({ ...turn, situation: baseline });
    const compare = (others: readonly number[], how: (own: number, other: number) => number) =>
      median(rounds.map(({ p99Ms }, round) => how(p99Ms, others[round] ?? Number.NaN)));
    return {
      ...turn,
      rounds,
      p50Ms: middle("p50Ms"),
      p99Ms: middle("p99Ms"),
      p999Ms: middle("p999Ms"),
      unanswered: middle("unanswered"),
      ...(telegraf && { p99OverTelegrafMs: compare(telegraf, (own, other) => own - other) }),
      ...(alone && { p99ToAlone: compare(alone, (own, other) => own / other) }),
    };
  });
}

export function latencyText({ rounds, rows, seconds }: LatencyReport): string {
  const head = ["", "beside", "updates/s", "p50", "p99", "p99.9", "to Telegraf", "to alone"];
  const lines = rows.map((row) => [
    ...words(row),
    figure(row.p50Ms, 1, " ms"),
    figure(row.p99Ms, 1, " ms"),
    figure(row.p999Ms, 1, " ms"),
    signed(row.p99OverTelegrafMs),
    figure(row.p99ToAlone ?? Number.NaN, 2),
  ]);
  const notes = rows.flatMap((row) => {
    const [title, situation, rate] = words(row);
    const { checkouts, counts = {} } = row.rounds.at(-1)?.beside ?? {};
    const facts = Object.entries(counts).map(
      ([what, count]) => `${figure(count / seconds)} ${what} a second`,
    );
    if (checkouts) facts.push(checkoutText(checkouts, seconds));
    const lost = row.unanswered > 0 ? [`${row.unanswered} updates unanswered`] : [];
    const all = [...facts, ...lost].join(", ");
    return all === "" ? [] : [`${title}, ${situation}, ${rate}/s: ${all}`];
  });
  return [
    `Latency: open loop, ${seconds} s each, medians of rounds: ${rounds}; p99 less that of bare Telegraf`,
    "and divided by the same bot's alone, in the same round",
    textTable([head, ...lines]),
    ...notes,
  ].join("\n");
}

/** Telegram waits for 10 s. Source: Bot API, answerPreCheckoutQuery. */
function checkoutText({ p50Ms, p999Ms, p99Ms, unanswered, updates }: Latencies, seconds: number) {
  const [p50, p99, p999] = [p50Ms, p99Ms, p999Ms].map((ms) => figure(ms, 1, " ms"));
  const lost = unanswered > 0 ? `, ${unanswered} of them unanswered` : "";
  return `${figure(updates / seconds)} check-outs a second (answered: p50 ${p50}, p99 ${p99}, p99.9 ${p999}${lost})`;
}

function words({ name, perSecond, situation }: Turn): [string, string, string] {
  return [contenders[name].title, besideWords[situation], String(perSecond)];
}

function signed(ms: number | undefined): string {
  if (ms === undefined || Number.isNaN(ms)) return "-";
  return `${ms > 0 ? "+" : ""}${figure(ms, 1, " ms")}`;
}
