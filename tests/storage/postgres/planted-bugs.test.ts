/**
 * Planted bugs: what keeps several processes apart is taken away, part by part, and a race must notice.
 *
 * Each race also runs with nothing taken away, and then must find nothing. A plant is a change of the text
 * that PostgreSQL runs; a text that is no longer there fails the test.
 */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../../bot/core/clock.ts";
import { Secret } from "../../../bot/core/secret.ts";
import { Connection } from "../../../bot/storage/postgres/connection.ts";
import { Session } from "../../../bot/storage/postgres/session.ts";
import { byHand, freshSchema, noPostgres, orSkipped, postgresUrl } from "../../support/postgres.ts";
import { newPostgresStore } from "../../support/postgres-store.ts";
import * as races from "./races.ts";

type Change = readonly [from: string, to: string];

/** A change of a function in the database, or of what processes send it, or of their own opinion. */
interface Plant {
  readonly where: "statements" | "self-fence" | { readonly function: string };
  readonly changes: readonly Change[];
}

const inFunction = (name: string, ...changes: Change[]): Plant => ({
  where: { function: name },
  changes,
});
const inStatements = (...changes: Change[]): Plant => ({ where: "statements", changes });

/** The lanes of a turn are locked after this. */
const lanes = "    WITH held AS MATERIALIZED (";
/** What the dead have, as a takeover locks it. */
const orphans = [
  ["LIMIT _limit FOR UPDATE SKIP LOCKED", "LIMIT _limit"],
  ["SELECT lane.head FROM lane)) FOR UPDATE SKIP LOCKED", "SELECT lane.head FROM lane))"],
] as const;
const fence = "m.claims = $2 AND m.owner = $3";

const bugs: readonly (readonly [title: string, races.Race, Plant])[] = [
  [
    "no row lock where heads are claimed in order",
    races.sameHead("handling", { admit: undefined } as object),
    inFunction("turn_2", [
      "ORDER BY l.available_at, l.head_pos LIMIT _want FOR NO KEY UPDATE SKIP LOCKED",
      "ORDER BY l.available_at, l.head_pos LIMIT _want",
    ]),
  ],
  [
    "no row lock where suspects are claimed",
    races.sameHead("handling", { admit: undefined, suspects: "only" } as object),
    inFunction("turn_2", [
      "ORDER BY l.deaths, l.head_pos LIMIT _want FOR NO KEY UPDATE SKIP LOCKED",
      "ORDER BY l.deaths, l.head_pos LIMIT _want",
    ]),
  ],
  [
    "no row lock where admitted heads are claimed",
    races.sameHead("sending", { admit: () => "take" }),
    inFunction("turn_2", ["FOR NO KEY UPDATE OF l SKIP LOCKED", ""]),
  ],
  [
    "no row lock where the dead are taken over",
    races.sameOrphan,
    inFunction("take_over_3", ...orphans),
  ],
  [
    "no row lock where delayed messages enter their lanes",
    races.sameDelayed,
    inFunction("queue_work_2", ["LIMIT 1000 FOR UPDATE SKIP LOCKED", "LIMIT 1000"]),
  ],
  [
    "a takeover that waits for locks",
    races.takeoverBesideStep,
    inFunction("take_over_3", ...orphans.map(([from, to]): Change => [from, `${to} FOR UPDATE`])),
  ],
  [
    "a step that does not lock its message",
    races.takeoverBesideStep,
    inStatements([`${fence} FOR UPDATE OF m`, fence]),
  ],
  [
    "two sorted passes over the lanes of a turn",
    races.crossedTurns,
    inFunction("queue_work_2", [
      lanes,
      `PERFORM 1 FROM lanes l WHERE EXISTS (SELECT 1 FROM unnest(_e) t JOIN messages m ON m.id = t.id
         WHERE m.pool = l.pool AND m.lane = l.lane) ORDER BY l.pool, l.lane FOR UPDATE;\n${lanes}`,
    ]),
  ],
  [
    "a position that is drawn before the lanes are locked",
    races.overtakenTurn,
    inFunction(
      "queue_work_2",
      ["DECLARE", "DECLARE _drawn bigint[];"],
      [lanes, `_drawn := ARRAY(SELECT nextval('message_positions') FROM unnest(_f));\n${lanes}`],
      [
        "CASE WHEN x.enters_at IS NULL THEN nextval('message_positions') END",
        "CASE WHEN x.enters_at IS NULL THEN _drawn[row_number() OVER (ORDER BY x.n)] END",
      ],
    ),
  ],
  [
    "no attempt fence in a turn",
    races.endOfLostAttempt,
    inFunction(
      "queue_work_2",
      ["ON t.id = x.id AND t.claims = x.claims", "ON t.id = x.id"],
      ["FROM unnest(_e) t)) AND m.owner = _me", "FROM unnest(_e) t))"],
    ),
  ],
  [
    "no attempt fence in a step",
    races.afterTakeover(races.step),
    inStatements([fence, "$2::int > 0 AND $3::bigint > 0"]),
  ],
  [
    "no fence of the process in a turn",
    races.afterTakeover(races.queueMore),
    inFunction("turn_2", ["WHERE number = _me AND ended IS NULL", "WHERE number = _me"]),
  ],
  [
    "a process without a lock of its life",
    races.newborn,
    inFunction("enter_2", ["PERFORM pg_advisory_lock(_class, _number::int);", ""]),
  ],
  [
    "an account that is not locked before its balance is read",
    races.sameBalance,
    inStatements([
      "pg_advisory_xact_lock(hashtextextended(current_schema() || ':' || $1, 0))",
      "$1::text",
    ]),
  ],
  [
    "a process that ignores its self-fence",
    races.withoutProof,
    { where: "self-fence", changes: [] },
  ],
];

describe.skipIf(noPostgres)(`planted bugs on PostgreSQL are caught${orSkipped}`, () => {
  const schema = freshSchema();
  const refusals: string[] = [];
  const close: (() => Promise<unknown>)[] = [];
  const another: races.Arena["another"] = async (clock) => {
    const url = await postgresUrl();
    const named = `${url}${url.includes("?") ? "&" : "?"}application_name=${schema}`;
    const name = `process ${close.length}`;
    const store = await newPostgresStore({ schema, clock, name, url: new Secret(named) });
    close.push(() => store.close());
    await store.open();
    return store;
  };
  let arena: races.Arena;
  /** Changes of the statements that a process sends, and how often each was made. */
  const planted = new Map<Change, number>();

  beforeAll(async () => {
    for (const method of ["all", "run"] as const) {
      const real = Connection.prototype[method] as (...words: unknown[]) => Promise<never>;
      vi.spyOn(Connection.prototype, method).mockImplementation(async function (
        this: Connection,
        sql,
        values,
      ) {
        return real.call(this, changed(sql), values).catch((error: Error) => {
          refusals.push(error.message);
          throw error;
        });
      });
    }
    const hand = new pg.Client({ connectionString: await postgresUrl() });
    await hand.connect();
    close.push(() => hand.end());
    const ask: races.Arena["ask"] = async (sql, values) => (await hand.query(sql, values)).rows;
    const [one, two] = [await another(systemClock), await another(systemClock)];
    await ask(`SET search_path = ${schema}`);
    arena = { schema, ask, another, refusals, one, two };
  });

  afterAll(async () => {
    vi.restoreAllMocks();
    await Promise.all(close.map((end) => end()));
    await byHand(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  });

  function changed(sql: string): string {
    let text = sql;
    for (const [change, times] of planted) {
      if (!text.includes(change[0])) continue;
      planted.set(change, times + 1);
      text = text.replace(...change);
    }
    return text;
  }

  async function run(race: races.Race): Promise<string | undefined> {
    await arena.ask("DELETE FROM messages; DELETE FROM lanes");
    return race(arena);
  }

  /** @returns what takes the bug away again. */
  async function plant({ changes, where }: Plant): Promise<() => Promise<void>> {
    if (where === "self-fence") {
      const spy = vi.spyOn(Session.prototype, "mayBegin", "get").mockReturnValue(true);
      return async () => spy.mockRestore();
    }
    if (where === "statements") {
      for (const change of changes) planted.set(change, 0);
      return async () => {
        expect([...planted.values()], "no statement has this text").not.toContain(0);
        planted.clear();
      };
    }
    const [{ text } = { text: "" }] = await arena.ask<{ text: string }>(
      `SELECT pg_get_functiondef('${schema}.${where.function}'::regproc) AS text`,
    );
    let broken = text;
    for (const [from, to] of changes) {
      expect(broken).toContain(from);
      broken = broken.replace(from, () => to);
    }
    await arena.ask(broken);
    return async () => void (await arena.ask(text));
  }

  test.for(bugs)("%s", async ([, race, bug]) => {
    expect(await run(race)).toBe(undefined);
    const uproot = await plant(bug);
    const found = await run(race).finally(uproot);
    expect(found).toEqual(expect.any(String));
  });
});
