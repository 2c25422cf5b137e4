/** Effects: checks that each owed change of data happened once, in its chat's order (P2 and P5). */
import { type HistoryRecord, recordsOf } from "./history.ts";
import type { Obligations } from "./obligations.ts";
import type { Finding } from "./verdict.ts";

export interface EffectsVerdict {
  readonly findings: readonly Finding[];
  /** Owed effects that did not happen, by update. */
  readonly missing: ReadonlyMap<string, readonly string[]>;
  readonly seen: ReadonlySet<string>;
}

export function checkEffects(
  history: readonly HistoryRecord[],
  { all, covers }: Obligations,
): EffectsVerdict {
  const effects = recordsOf(history, "effect");
  const seen = new Set<string>();
  const findings: Finding[] = [];
  const position = new Map<string, number>();
  const closed = new Set<string>();
  for (const { sent } of all) {
    if (sent.effects) closed.add(sent.chat);
    for (const effect of sent.effects ?? []) position.set(effect, position.size);
  }
  const latest = new Map<string, { readonly effect: string; readonly position: number }>();
  const balances = new Map<string, number>();
  for (const { at, amountMinor = 0, chat, effect } of effects) {
    const balance = (balances.get(chat) ?? 0) + amountMinor;
    balances.set(chat, balance);
    const find = (promise: Finding["promise"], what: Finding["what"], where: string) =>
      findings.push({ promise, what, chat, at, where });
    if (balance < 0) find("P2", "balance-negative", `${effect} leaves a balance of ${balance}`);
    if (seen.has(effect)) {
      find("P2", "effect-doubled", `${effect} was done again`);
      continue;
    }
    seen.add(effect);
    const own = position.get(effect);
    const before = latest.get(chat);
    if (own === undefined) {
      if (closed.has(chat)) find("P2", "effect-unexpected", `no update asked for ${effect}`);
    } else if (before && before.position > own) {
      find("P5", "effects-out-of-order", `${effect} was done after ${before.effect}`);
    } else {
      latest.set(chat, { effect, position: own });
    }
  }
  const missing = new Map<string, readonly string[]>();
  for (const { excused, owed, sent } of covers.has("effects") ? all : []) {
    const absent = (sent.effects ?? []).filter((effect) => !seen.has(effect));
    if (owed && !excused && absent.length > 0) missing.set(sent.update, absent);
  }
  return { findings, missing, seen };
}
