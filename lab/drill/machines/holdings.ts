/**
 * Holdings: what a server has of what it confirmed, and so what is lost with a primary.
 *
 * The lost primary is the witness: its directory is still there, and after the run it is asked for what it
 * had. The standby is asked before it is promoted.
 */
import type { PostgresServer } from "./postgres-server.ts";

/** What a server has of what it confirmed. */
export interface Holdings {
  /** Commits by number of the process. */
  readonly commits: ReadonlyMap<number, number>;
  readonly updates: ReadonlySet<string>;
  /** Entries of the ledger. */
  readonly entries: ReadonlySet<string>;
}

export interface Loss {
  /** The lost primary; it is ended. */
  readonly former: PostgresServer;
  /** What the standby had when it was promoted. */
  readonly kept: Holdings;
  /** From when to when nothing of what was done was kept. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** What the lost primary had and the standby had not. */
export interface LossFigures {
  readonly commits: number;
  readonly updates: number;
  readonly entries: number;
}

export async function holdingsOf(server: PostgresServer, schema: string): Promise<Holdings> {
  const texts = async (sql: string) =>
    new Set((await server.query<{ text: string }>(sql)).map(({ text }) => text));
  const rows = await server.query<{ number: string; commits: string }>(
    `SELECT number, commits FROM ${schema}.processes`,
  );
  return {
    commits: new Map(rows.map(({ commits, number }) => [Number(number), Number(commits)])),
    updates: await texts(`SELECT key AS text FROM ${schema}.dedupe WHERE key LIKE 'update:%'`),
    entries: await texts(`SELECT kind || ' of ' || reference AS text FROM ${schema}.ledger`),
  };
}

/** Asks the lost primary. Call it when no process can reach it any more. */
export async function figuresOf({ former, kept }: Loss, schema: string): Promise<LossFigures> {
  await former.start();
  const had = await holdingsOf(former, schema);
  await former.stop("QUIT");
  const commits = [...had.commits].map(
    ([number, count]) => count - (kept.commits.get(number) ?? 0),
  );
  return {
    commits: commits.reduce((sum, count) => sum + count, 0),
    updates: missing(had.updates, kept.updates),
    entries: missing(had.entries, kept.entries),
  };
}

function missing(had: ReadonlySet<string>, kept: ReadonlySet<string>): number {
  return [...had].filter((one) => !kept.has(one)).length;
}
