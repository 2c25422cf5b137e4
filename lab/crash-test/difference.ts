/**
 * Difference: how the end of an interrupted play differs from that of an undisturbed one.
 *
 * Allowed is only what promise P4 allows: the one call of a lane that was under way at the death may
 * have been made twice. What already differs between two undisturbed plays (chance) is not compared.
 */

import type { Played } from "./play.ts";
import type { MadeCall } from "./played-telegram.ts";

export interface Baseline {
  readonly played: Played;
  /** Calls and rows that are different each time. */
  readonly varying: ReadonlySet<string>;
}

/** @returns the baseline of two undisturbed plays, or how they differ in kind. */
export function baselineOf(first: Played, second: Played): Baseline | string {
  const calls = byLane(first.made);
  const others = byLane(second.made);
  const varying = new Set<string>();
  for (const [lane, made] of calls) {
    const other = others.get(lane) ?? [];
    const methods = (list: readonly MadeCall[]) => list.map(({ method }) => method);
    if (methods(made).join() !== methods(other).join()) {
      return `two undisturbed plays differ in ${lane}:\n${showLists(labels(made), labels(other), "the first", "the second")}`;
    }
    for (const [index, { meaning }] of made.entries()) {
      if (meaning !== other[index]?.meaning) varying.add(`${lane}#${index}`);
    }
  }
  for (const [table, rows] of Object.entries(first.tables)) {
    if (rows.join() !== second.tables[table]?.join()) varying.add(`table ${table}`);
  }
  return { played: first, varying };
}

/** @returns the first difference in words; `undefined` when there is none. */
export function findDifference(
  { played: calm, varying }: Baseline,
  crashed: Played,
): string | undefined {
  const [letter] = crashed.deadLetters;
  if (letter !== undefined) return `A message was given up: ${letter}`;
  return callDifference(calm, crashed, varying) ?? tableDifference(calm, crashed, varying);
}

function callDifference(
  calm: Played,
  crashed: Played,
  varying: ReadonlySet<string>,
): string | undefined {
  const expected = byLane(calm.made);
  const found = byLane(crashed.made);
  for (const lane of new Set([...expected.keys(), ...found.keys()])) {
    const wanted = expected.get(lane) ?? [];
    const made = withoutExcused(found.get(lane) ?? []);
    const same = (call: MadeCall | undefined, index: number) =>
      call?.method === wanted[index]?.method &&
      (varying.has(`${lane}#${index}`) || call?.meaning === wanted[index]?.meaning);
    if (made.length === wanted.length && made.every(same)) continue;
    const [a, b] = [labels(wanted), labels(made)];
    // Where the texts agree, other fields (a keyboard, an id) do not.
    const whole = a.join() === b.join();
    const lists = whole ? [wanted, made].map((list) => list.map(({ meaning }) => meaning)) : [a, b];
    return `In ${lane}:\n${showLists(lists[0] ?? [], lists[1] ?? [], "undisturbed", "with the death")}`;
  }
  return undefined;
}

function tableDifference(
  calm: Played,
  crashed: Played,
  varying: ReadonlySet<string>,
): string | undefined {
  for (const [table, rows] of Object.entries(calm.tables)) {
    const found = crashed.tables[table] ?? [];
    const varies = varying.has(`table ${table}`);
    if (varies ? rows.length === found.length : rows.join() === found.join()) continue;
    return `In the table ${table}:\n${showLists(rows, found, "undisturbed", "with the death")}`;
  }
  return undefined;
}

/** Leaves out the call that two lives had to make, because the first died before it knew the answer. */
function withoutExcused(made: readonly MadeCall[]): readonly MadeCall[] {
  return made.filter((call, index) => {
    const before = made[index - 1];
    const repeated = before?.meaning === call.meaning && before.method === call.method;
    // What ctx.now sends is not ambiguous any more once its answer has come.
    const excused = before !== undefined && !(before.direct && before.answered);
    return !(repeated && excused && before.life < call.life);
  });
}

function byLane(made: readonly MadeCall[]): ReadonlyMap<string, readonly MadeCall[]> {
  const lanes = Map.groupBy(made, ({ lane }) => lane);
  // An edit that a newer one follows may have been replaced while it waited.
  const last = (call: MadeCall, index: number, all: readonly MadeCall[]) =>
    call.edits === undefined || call.edits !== all[index + 1]?.edits;
  return new Map([...lanes].map(([lane, calls]) => [lane, calls.filter(last)]));
}

function labels(made: readonly MadeCall[]): readonly string[] {
  return made.map(({ label }) => label);
}

const linesMax = 12;
const widthMax = 300;

/** Shows both lists from shortly before the first place where they differ. */
function showLists(
  a: readonly string[],
  b: readonly string[],
  nameA: string,
  nameB: string,
): string {
  const differs = Array.from({ length: Math.max(a.length, b.length) }, (_, index) => index);
  const first = differs.find((index) => a[index] !== b[index]) ?? 0;
  const from = Math.max(0, first - 1);
  const show = (list: readonly string[]) => {
    const shown = list.slice(from, from + linesMax);
    if (shown.length === 0) return "    nothing more";
    return shown
      .map((text, index) => `    ${from + index + 1}. ${text.slice(0, widthMax)}`)
      .join("\n");
  };
  return `  ${nameA}:\n${show(a)}\n  ${nameB}:\n${show(b)}`;
}
