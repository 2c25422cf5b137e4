/**
 * Checker: decides from a history which of the promises P1 to P6 were kept.
 *
 * It is pure, and shared by simulation, drill and end-to-end tests. It judges only what a history covers
 * (`covers` records): a journal says nothing about data, and a database nothing about sends.
 */
import { checkEffects } from "./effects.ts";
import { type HistoryRecord, recordsOf } from "./history.ts";
import { checkLimits, type LimitRules } from "./limits.ts";
import { type Obligations, readObligations } from "./obligations.ts";
import { checkReplies } from "./replies.ts";
import type { Finding, Verdict } from "./verdict.ts";

export interface CheckOptions {
  /** Null when limits are not judged. */
  readonly limits: LimitRules | null;
}

const orderKinds: readonly Finding["what"][] = [
  "effects-out-of-order",
  "replies-out-of-order",
  "handlers-overlap",
];

export function checkHistory(history: readonly HistoryRecord[], options: CheckOptions): Verdict {
  const obligations = readObligations(history);
  const effects = checkEffects(history, obligations);
  const replies = checkReplies(history, obligations);
  const { findings: fates, lost } = judgeUpdates(history, obligations, effects, replies);
  const findings = [
    ...fates,
    ...effects.findings,
    ...replies.findings,
    ...checkHandling(history),
    ...(obligations.drained ? findLeftOvers(history) : []),
    ...(options.limits ? checkLimits(history, options.limits) : []),
  ];
  const count = (...whats: Finding["what"][]) =>
    findings.filter(({ what }) => whats.includes(what)).length;
  const sum = (missing: ReadonlyMap<string, readonly string[]>) =>
    [...missing.values()].reduce((total, names) => total + names.length, 0);
  return {
    findings,
    counts: {
      updates: obligations.all.length,
      deaths: recordsOf(history, "died").length,
      lost,
      effects: recordsOf(history, "effect").length,
      effectsMissing: sum(effects.missing),
      effectsDoubled: count("effect-doubled", "effect-unexpected"),
      replies: recordsOf(history, "executed").length,
      repliesMissing: sum(replies.missing),
      repliesDuplicated: count("reply-doubled", "reply-unexpected"),
      repliesAmbiguous: replies.ambiguousDuplicates,
      deadLetters: recordsOf(history, "dead").length,
      orderViolations: count(...orderKinds),
      limitViolations: findings.filter(({ promise }) => promise === "P6").length,
    },
  };
}

/** Finds updates that were lost as a whole (P1) or in parts (P2, P3). */
function judgeUpdates(
  history: readonly HistoryRecord[],
  { all, covers, drained }: Obligations,
  effects: ReturnType<typeof checkEffects>,
  replies: ReturnType<typeof checkReplies>,
): { readonly findings: readonly Finding[]; readonly lost: number } {
  const findings: Finding[] = [];
  const confirmed = firstInstants(history, "confirmed");
  const stored = firstInstants(history, "stored");
  const forgotten = firstInstants(history, "forgotten");
  let lost = 0;
  for (const { sent } of all) {
    const { chat, update } = sent;
    const find = (promise: Finding["promise"], what: Finding["what"], where: string) =>
      findings.push({ promise, what, chat, at: sent.at, where: `update ${update}: ${where}` });
    const confirmedAt = confirmed.get(update);
    const storedAt = stored.get(update);
    if (drained && confirmedAt === undefined && !forgotten.has(update)) {
      find("P1", "update-unconfirmed", "Telegram still has it");
    }
    if (confirmedAt !== undefined && storedAt !== undefined && storedAt > confirmedAt) {
      find("P1", "confirmed-before-stored", `confirmed ${storedAt - confirmedAt} ms too early`);
    }
    const noEffects = effects.missing.get(update) ?? [];
    const noReplies = replies.missing.get(update) ?? [];
    const traces =
      replies.answered.has(update) || sent.effects?.some((effect) => effects.seen.has(effect));
    const untraced = noEffects.length + noReplies.length > 0 && !traces;
    const unstored = covers.has("storage") && confirmedAt !== undefined && storedAt === undefined;
    if (untraced || unstored) {
      lost++;
      find("P1", "update-lost", "it was taken, but left no trace");
      continue;
    }
    for (const effect of noEffects) find("P2", "effect-missing", `${effect} was not done`);
    if (noEffects.length > 0 && replies.answered.has(update)) {
      find("P3", "reply-without-data", "it was answered, but its data is missing");
    }
    for (const reply of noReplies) find("P3", "reply-missing", `${reply} was never sent`);
  }
  for (const reply of replies.missing.get("") ?? []) {
    findings.push({ promise: "P4", what: "reply-missing", where: `${reply} was never sent` });
  }
  return { findings, lost };
}

function firstInstants(
  history: readonly HistoryRecord[],
  kind: "confirmed" | "stored" | "forgotten",
): ReadonlyMap<string, number> {
  const instants = new Map<string, number>();
  for (const { at, update } of recordsOf(history, kind)) {
    if (!instants.has(update)) instants.set(update, at);
  }
  return instants;
}

/** Finds handlers of one chat that ran at the same time (P5). */
function checkHandling(history: readonly HistoryRecord[]): Finding[] {
  const findings: Finding[] = [];
  const inHand = new Map<string, string>();
  for (const record of history) {
    if (record.kind === "died") inHand.clear();
    if (record.kind === "ended" && inHand.get(record.chat) === record.update) {
      inHand.delete(record.chat);
    }
    if (record.kind !== "began") continue;
    const { at, chat, update } = record;
    const other = inHand.get(chat);
    if (other !== undefined) {
      const where = `update ${update} began before ${other} had ended`;
      findings.push({ promise: "P5", what: "handlers-overlap", chat, at, where });
    }
    inHand.set(chat, update);
  }
  return findings;
}

function findLeftOvers(history: readonly HistoryRecord[]): Finding[] {
  return recordsOf(history, "waiting").map(({ at, chat, reply, update }): Finding => {
    return reply === undefined
      ? { promise: "P1", what: "update-waiting", chat, at, where: `update ${update} still waits` }
      : { promise: "P3", what: "reply-waiting", chat, at, where: `${reply} still waits` };
  });
}
