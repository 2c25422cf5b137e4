/** Engine desk: shows dead letters, holds and incidents, puts letters back, pauses and resumes pools. */
import { type Pool, pools } from "../../core/message.ts";
import type { DeadLetterFacts, IncidentFacts } from "../../kit/operations.ts";
import { button, keyboard } from "../commands/keyboard.ts";
import type { Card } from "../commands/order-card.ts";
import { type CommandOptions, parseCount, type Routes, type Turn } from "../commands/routes.ts";
import { noteAct } from "./acts.ts";
import { audit, menuButton, show, textsOf } from "./admin-turn.ts";

const pageSize = 8;
const incidentsShown = 8;
const holdsShown = 10;
const codesShown = 10;

export function registerEngineDesk(routes: Routes, options: CommandOptions): void {
  const { operations } = options;

  routes.press("adm-letters", async (turn, [page]) => {
    const offset = pageSize * Math.min(parseCount(page) ?? 0, 10_000);
    const { letters, total } = await operations.deadLetters({ offset, limit: pageSize });
    return show(turn, lettersCard(turn, letters, offset, total));
  });

  routes.press("adm-letter", async (turn, [id]) => {
    const letter = await operations.deadLetter(parseCount(id) ?? 0);
    return letter ? show(turn, letterCard(turn, letter)) : textsOf(turn).noDeadLetter;
  });

  routes.press("adm-back", (turn, [id]) => putBack(turn, options, parseCount(id) ?? 0));

  routes.press("adm-troubles", async (turn) => show(turn, await troublesCard(turn, options)));

  routes.press("adm-pools", async (turn) => show(turn, await poolsCard(turn, options)));

  for (const [verb, paused] of [
    ["adm-pause", true],
    ["adm-resume", false],
  ] as const) {
    routes.press(verb, async (turn, [name]) => {
      const pool = pools.find((one) => one === name);
      // A paused handling pool would not handle the press that resumes it.
      if (!pool || (paused && pool === "handling")) return turn.texts.staleButton;
      return setPaused(turn, options, pool, paused);
    });
  }
}

/**
 * The letter is put back outside the step, and the handler may run again: what the first attempt found is
 * kept in the step, so that every attempt says the same, and putting back twice changes nothing.
 */
async function putBack(turn: Turn, options: CommandOptions, id: number): Promise<string> {
  const t = textsOf(turn);
  const { operations } = options;
  const adminId = turn.visitor.userId;
  const letter = await operations.deadLetter(id);
  const found = await turn.ctx.transaction(async (tx) => {
    if (letter) await noteAct(tx, { adminId, kind: "requeue", subject: `dead-letter:${id}` });
    return letter !== undefined;
  });
  if (!found) return t.noDeadLetter;
  audit(options, turn, "requeue", { deadLetterId: id });
  await operations.requeue(id);
  const back = keyboard([button(t.deadLetters, "adm-letters"), menuButton(turn)]);
  await show(turn, [t.putBack(String(id)), back]);
  return t.putBack(String(id));
}

async function setPaused(
  turn: Turn,
  options: CommandOptions,
  pool: Pool,
  paused: boolean,
): Promise<string> {
  const t = textsOf(turn);
  const adminId = turn.visitor.userId;
  const kind = paused ? "pause" : "resume";
  await turn.ctx.transaction((tx) => noteAct(tx, { adminId, kind, subject: `pool:${pool}` }));
  audit(options, turn, kind, { pool });
  await options.operations.setPaused(pool, paused);
  await show(turn, await poolsCard(turn, options));
  return paused ? t.poolPaused(pool) : t.poolResumed(pool);
}

function lettersCard(
  turn: Turn,
  letters: readonly DeadLetterFacts[],
  offset: number,
  total: number,
): Card {
  const t = textsOf(turn);
  if (total === 0) return [t.noDeadLetters, keyboard([menuButton(turn)])];
  const rows = letters.map(({ id, reason, type }) => [
    button(`#${id} ${type} · ${reason}`, `adm-letter:${id}`),
  ]);
  const page = offset / pageSize;
  const turnPage = [
    page > 0 && button(t.newer, `adm-letters:${page - 1}`),
    offset + pageSize < total && button(t.older, `adm-letters:${page + 1}`),
  ];
  const heading = t.deadLetterList(turn.format.count(total));
  return [heading, keyboard(...rows, turnPage, [menuButton(turn)])];
}

function letterCard(turn: Turn, letter: DeadLetterFacts): Card {
  const t = textsOf(turn);
  const { format } = turn;
  const { attempts, createdAtEpochMs, deaths, diedAtEpochMs, errorCodes, id, lane, reason, type } =
    letter;
  const [born, died] = [createdAtEpochMs, diedAtEpochMs].map(format.instant);
  const text = [
    t.deadLetter(String(id), type, reason, lane, born ?? "", died ?? ""),
    t.attempts(format.count(attempts), format.count(deaths)),
    errorCodes.length > 0 && t.errors(errorCodes.slice(-codesShown).join(", ")),
  ];
  const buttons = keyboard(
    [button(t.putBackButton, `adm-back:${id}`)],
    [button(t.deadLetters, "adm-letters"), menuButton(turn)],
  );
  return [text.filter(Boolean).join("\n\n"), buttons];
}

async function troublesCard(turn: Turn, { operations }: CommandOptions): Promise<Card> {
  const t = textsOf(turn);
  const { format } = turn;
  const holds = (await operations.holds()).slice(0, holdsShown);
  const incidents = operations.incidents(incidentsShown);
  const holdLines = holds.map(({ kind, reason, sinceEpochMs, target }) =>
    t.hold(kind, target, format.instant(sinceEpochMs), reason),
  );
  const incidentLine = ({ closedAtEpochMs, openedAtEpochMs, subject, trouble }: IncidentFacts) => {
    const end = closedAtEpochMs === undefined ? t.stillOpen : format.instant(closedAtEpochMs);
    return t.incident(subject, trouble, format.instant(openedAtEpochMs), end);
  };
  const text = [
    holds.length > 0 ? [t.holds, ...holdLines].join("\n\n") : t.noHolds,
    incidents.length > 0
      ? [t.incidents, ...incidents.map(incidentLine)].join("\n\n")
      : t.noIncidents,
  ];
  const buttons = keyboard([button(t.refresh, "adm-troubles"), menuButton(turn)]);
  return [text.join("\n\n\n"), buttons];
}

async function poolsCard(turn: Turn, { operations }: CommandOptions): Promise<Card> {
  const t = textsOf(turn);
  const paused = await operations.pausedPools();
  const lines = pools.map((pool) => (paused.includes(pool) ? t.paused(pool) : t.running(pool)));
  const rows = pools.map((pool) => {
    if (paused.includes(pool)) return [button(t.resumeButton(pool), `adm-resume:${pool}`)];
    return [pool !== "handling" && button(t.pauseButton(pool), `adm-pause:${pool}`)];
  });
  return [[t.poolList, ...lines].join("\n"), keyboard(...rows, [menuButton(turn)])];
}
