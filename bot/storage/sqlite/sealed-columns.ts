/**
 * Sealed columns: define which columns are encrypted and the place each seal is bound to.
 *
 * A message's seal keeps the message's first id when it becomes a dead letter and when it is
 * requeued, so it moves between the tables unchanged.
 */
import type { SealedColumn, SqlValue } from "../../core/transaction.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { keyIdOf } from "../sealing/sealing-key.ts";
import type { Database } from "./sqlite-driver.ts";

/** The place of every sealed value. */
export const places = {
  payload: ({ id, origin }: { readonly id: number; readonly origin: number | null }) =>
    `messages|payload|${origin ?? id}`,
  stepResult: (origin: number, name: string) => `steps|result|${origin}|${name}`,
};

const payload = {
  column: "payload",
  key: ["id"],
  placeColumn: "origin",
  place: ([id]: readonly SqlValue[], origin: SqlValue) =>
    places.payload({ id: Number(id), origin: origin === null ? null : Number(origin) }),
} as const;

/** The queue's sealed columns; a module's tables bring their own. */
export const queueColumns: readonly SealedColumn[] = [
  { table: "messages", ...payload },
  { table: "dead_letters", ...payload },
  {
    table: "steps",
    column: "result",
    key: ["origin", "name"],
    place: ([origin, name]) => places.stepResult(Number(origin), String(name)),
  },
];

/** The position of a pass over all sealed values. */
export interface PassPosition {
  readonly columnIndex: number;
  /** Key of the last row checked; `undefined` before the first. */
  readonly after: readonly SqlValue[] | undefined;
}

/** The position at which a pass begins. */
export const passBegins: PassPosition = { columnIndex: 0, after: undefined };

export interface SealedBatch {
  /** The position to continue from; `undefined` at the end of the pass. */
  readonly next: PassPosition | undefined;
  /** How many values were sealed with the newest key. */
  readonly sealed: number;
}

/**
 * Seals the next few values with the newest key, if an older key sealed them or they are still
 * plain.
 */
export function sealBatch(
  database: Database,
  ring: KeyRing,
  columns: readonly SealedColumn[],
  { after, columnIndex }: PassPosition,
  rowsMax: number,
): SealedBatch {
  const sealedColumn = columns[columnIndex];
  if (!sealedColumn) return { next: undefined, sealed: 0 };
  const rows = readRows(database, sealedColumn, after, rowsMax);
  const update = prepareUpdate(database, sealedColumn);
  let sealed = 0;
  for (const row of rows) {
    if (keyIdOf(row.value) === ring.currentId) continue;
    const place = sealedColumn.place(row.key, row.placeValue);
    const text = typeof row.value === "string" ? row.value : ring.open(row.value, place);
    update.run(ring.seal(text, place), ...indexValues(ring, sealedColumn, text), ...row.key);
    sealed++;
  }
  const last = rows.at(-1);
  const next =
    rows.length < rowsMax || !last
      ? { columnIndex: columnIndex + 1, after: undefined }
      : { columnIndex, after: last.key };
  return { next, sealed };
}

function indexValues(ring: KeyRing, { index }: SealedColumn, text: string): readonly SqlValue[] {
  if (!index) return [];
  const indexed = index.of(text);
  return [indexed === undefined ? null : (ring.indexes(indexed, index.name)[0] ?? null)];
}

function readRows(
  database: Database,
  { table, column, key, placeColumn = "NULL" }: SealedColumn,
  after: PassPosition["after"],
  rowsMax: number,
) {
  const keys = key.join(", ");
  const marks = key.map(() => "?").join(", ");
  const rows = database
    .prepare(
      `SELECT ${keys}, ${column} AS sealed_value, ${placeColumn} AS place_value FROM ${table}
       WHERE ${column} IS NOT NULL ${after ? `AND (${keys}) > (${marks})` : ""}
       ORDER BY ${keys} LIMIT ?`,
    )
    .all<Record<string, SqlValue>>(...(after ?? []), rowsMax);
  return rows.map((row) => ({
    key: key.map((name) => row[name] as SqlValue),
    value: row["sealed_value"],
    placeValue: row["place_value"] as SqlValue,
  }));
}

function prepareUpdate(database: Database, { table, column, index, key }: SealedColumn) {
  const where = key.map((name) => `${name} = ?`).join(" AND ");
  const indexed = index ? `, ${index.column} = ?` : "";
  return database.prepare(`UPDATE ${table} SET ${column} = ?${indexed} WHERE ${where}`);
}
