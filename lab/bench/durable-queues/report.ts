/** Report: medians of the rounds, and ratios between contenders of the same round. Pure. */
import { median, medians } from "../statistics.ts";
import { figure, textTable } from "../text-table.ts";
import { besides, type ContenderName, contenders, type QueueKind } from "./contenders.ts";
import type { MeasureOptions, QueueFigures } from "./measure.ts";

export interface QueueRow {
  readonly name: ContenderName;
  readonly title: string;
  readonly rounds: readonly QueueFigures[];
  readonly median: QueueFigures;
  /** Middle ratio of the updates a second to the kind with as many processes; NaN when it is not there. */
  readonly toPgBoss: number;
  readonly toBare: number;
}

export interface QueueReport extends MeasureOptions {
  readonly rounds: number;
  readonly rows: readonly QueueRow[];
}

export type Taken = ReadonlyMap<ContenderName, readonly QueueFigures[]>;

export function rowsOf(taken: Taken): readonly QueueRow[] {
  return [...taken].map(([name, rounds]) => ({
    name,
    title: contenders[name].title,
    rounds,
    median: medians(rounds),
    toPgBoss: ratio(taken, name, "pg-boss"),
    toBare: ratio(taken, name, "bare"),
  }));
}

function ratio(taken: Taken, name: ContenderName, kind: QueueKind): number {
  const other = besides(kind, contenders[name]);
  const others = other && taken.get(other);
  const ratios = (taken.get(name) ?? []).map(
    (round, index) => round.updatesPerSecond / (others?.[index]?.updatesPerSecond ?? Number.NaN),
  );
  return median(ratios);
}

export function queueText(report: QueueReport): string {
  const { chats, concurrency, delayMs, rate, rounds, rows, seconds, waiting } = report;
  const away = delayMs === 0 ? "" : `, every round trip ${delayMs} ms longer`;
  const head = [
    "",
    "updates/s",
    "to pg-boss",
    "to bare",
    "processor",
    "of PostgreSQL",
    "p50",
    "p99",
  ];
  const lines = rows.map(({ median: middle, title, toBare, toPgBoss }) => [
    title,
    figure(middle.updatesPerSecond),
    figure(toPgBoss, 2),
    figure(toBare, 2),
    figure(middle.processorUs, 0, " µs"),
    figure(middle.serverUs, 0, " µs"),
    figure(middle.p50Ms, 1, " ms"),
    figure(middle.p99Ms, 1, " ms"),
  ]);
  return [
    `Durable queues: one reply an update, ${waiting} updates waiting in ${chats} chats, ${concurrency} in hand, ${seconds} s;`,
    `p50 and p99 at ${rate}/s, open loop; medians of rounds: ${rounds}${away}`,
    textTable([head, ...lines]),
  ].join("\n");
}
