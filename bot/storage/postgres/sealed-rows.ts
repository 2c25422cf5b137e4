/**
 * Sealed rows: seals older values with the key that seals now, a few rows at a time, beside whoever works
 * on the same rows.
 *
 * It never waits for a row: one that another transaction holds is left, and counted.
 */
import type { SealedColumn, SqlValue } from "../../core/transaction.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import type { Connection } from "./connection.ts";

/** Rows of a column, by their keys in the order of the primary key. */
export interface Batch {
  /** The last key before; `undefined`: it begins with the first row. */
  readonly after: readonly SqlValue[] | undefined;
  /** The last key within; `undefined`: it goes to the end. */
  readonly upTo: readonly SqlValue[] | undefined;
}

interface SealedRow {
  /** Where the row is, as long as it is locked. */
  readonly at: string;
  readonly value: Uint8Array;
  readonly place: SqlValue;
  readonly [key: `key_${number}`]: SqlValue;
}

/** Others may wait for one of these rows for as long as sealing them takes: a few milliseconds. */
const rowsPerBatch = 200;

/** Goes over all rows of a column, as they are when each batch begins. */
export async function* batchesOf(
  connection: Connection,
  { column, key, table }: SealedColumn,
): AsyncIterable<Batch> {
  const keys = key.join(", ");
  let after: Batch["after"];
  for (;;) {
    const [end]: Record<string, SqlValue>[] = await connection.all(
      `SELECT ${keys} FROM ${table} WHERE ${column} IS NOT NULL ${after ? `AND ${compared(key, ">", 1)}` : ""}
       ORDER BY ${keys} LIMIT 1 OFFSET ${rowsPerBatch - 1}`,
      after ?? [],
    );
    const upTo = end && key.map((name) => end[name] as SqlValue);
    yield { after, upTo };
    if (!upTo) return;
    after = upTo;
  }
}

/**
 * Seals what an older key has sealed. To be called in a transaction that seals.
 *
 * @returns how many values were sealed, and how many others hold and are left.
 */
export async function sealBatch(
  connection: Connection,
  ring: KeyRing,
  sealedColumn: SealedColumn,
  { after = [], upTo = [] }: Batch,
): Promise<{ readonly sealed: number; readonly left: number }> {
  const { column, index, key, place, placeColumn = "NULL", table } = sealedColumn;
  // The key's number stands after the version (sealing-key.ts).
  const current = Buffer.alloc(4);
  current.writeUInt32BE(ring.currentId);
  const older = [
    `${column} IS NOT NULL AND substring(${column} FROM 2 FOR 4) <> $1`,
    ...(after.length > 0 ? [compared(key, ">", 2)] : []),
    ...(upTo.length > 0 ? [compared(key, "<=", 2 + after.length)] : []),
  ].join(" AND ");
  const values = [current, ...after, ...upTo];
  const keys = key.map((name, position) => `${name} AS key_${position}`).join(", ");
  const rows = await connection.all<SealedRow>(
    `SELECT ctid::text AS at, ${keys}, ${column} AS value, ${placeColumn} AS place
     FROM ${table} WHERE ${older} FOR NO KEY UPDATE SKIP LOCKED`,
    values,
  );
  const texts = rows.map((row) => {
    const own = key.map((_, position) => row[`key_${position}`] as SqlValue);
    const bound = place(own, row.place);
    return { text: ring.open(row.value, bound), bound };
  });
  if (rows.length > 0)
    await connection.run(
      `UPDATE ${table} SET ${column} = v.value ${index ? `, ${index.column} = v.index` : ""}
     FROM unnest($1::tid[], $2::bytea[], $3::bytea[]) v(at, value, index) WHERE ${table}.ctid = v.at`,
      [
        rows.map(({ at }) => at),
        texts.map(({ bound, text }) => ring.seal(text, bound)),
        texts.map(({ text }) => {
          const indexed = index?.of(text);
          return index && indexed !== undefined
            ? (ring.indexes(indexed, index.name)[0] ?? null)
            : null;
        }),
      ],
    );
  const [rest] = await connection.all<{ left: number }>(
    `SELECT count(*) AS left FROM ${table} WHERE ${older}`,
    values,
  );
  return { sealed: rows.length, left: rest?.left ?? 0 };
}

/** Compares the primary key with parameters. @param from The number of the first one. */
function compared(key: readonly string[], sign: ">" | "<=", from: number): string {
  const parameters = key.map((_, position) => `$${from + position}`).join(", ");
  return `(${key.join(", ")}) ${sign} (${parameters})`;
}
