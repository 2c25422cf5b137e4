/**
 * Sealed columns: what of the tables is encrypted, and the place each seal is bound to.
 *
 * A message keeps its birth id for its seal when it becomes a dead letter and when it is put back, so
 * that it moves between the tables as it is.
 */
import type { KeyRing } from "../sealing/key-ring.ts";
import { keyIdOf } from "../sealing/sealing-key.ts";
import type { Database, SqlValue } from "./sqlite-driver.ts";

/** The place of every sealed value. */
export const places = {
  payload: ({ id, origin }: { readonly id: number; readonly origin: number | null }) =>
    `messages|payload|${origin ?? id}`,
  stepResult: (origin: number, name: string) => `steps|result|${origin}|${name}`,
  profile: (userId: number) => `accounts|profile|${userId}`,
  note: (orderId: number) => `orders|note|${orderId}`,
};

/** Names the blind index of usernames, and so its key. */
export const usernameIndex = "accounts|username_index";

/** A username as it is looked up: Telegram tells no difference between A and a. */
export function indexedUsername({ username }: { readonly username?: string | undefined }) {
  return username?.toLowerCase();
}

interface SealedColumn {
  readonly table: string;
  readonly column: string;
  /** Primary key. */
  readonly key: readonly string[];
  /** The column of its blind index, if it has one, and what is looked up by. */
  readonly index?: { readonly column: string; readonly of: (text: string) => string | undefined };
  readonly place: (key: readonly SqlValue[], row: { readonly origin?: number | null }) => string;
}

const payload = { column: "payload", key: ["id"] } as const;
const payloadPlace: SealedColumn["place"] = ([id], { origin = null }) =>
  places.payload({ id: Number(id), origin });

const sealedColumns: readonly SealedColumn[] = [
  { table: "messages", ...payload, place: payloadPlace },
  { table: "dead_letters", ...payload, place: payloadPlace },
  {
    table: "steps",
    column: "result",
    key: ["origin", "name"],
    place: ([origin, name]) => places.stepResult(Number(origin), String(name)),
  },
  {
    table: "accounts",
    column: "profile",
    key: ["user_id"],
    index: { column: "username_index", of: (profile) => indexedUsername(JSON.parse(profile)) },
    place: ([userId]) => places.profile(Number(userId)),
  },
  {
    table: "orders",
    column: "note",
    key: ["id"],
    place: ([id]) => places.note(Number(id)),
  },
];

/** Where a pass over all sealed values stands. */
export interface PassPosition {
  readonly columnIndex: number;
  /** Key of the last row looked at; `undefined` before the first. */
  readonly after: readonly SqlValue[] | undefined;
}

/** Where a pass begins. */
export const passBegins: PassPosition = { columnIndex: 0, after: undefined };

export interface SealedBatch {
  /** Where to go on; `undefined` at the end of the pass. */
  readonly next: PassPosition | undefined;
  /** How many values were put under the newest key. */
  readonly sealed: number;
}

/**
 * Puts the next few values under the newest key: what an older one sealed, and what is still plain.
 */
export function sealBatch(
  database: Database,
  ring: KeyRing,
  { after, columnIndex }: PassPosition,
  rowsMax: number,
): SealedBatch {
  const sealedColumn = sealedColumns[columnIndex];
  if (!sealedColumn) return { next: undefined, sealed: 0 };
  const rows = readRows(database, sealedColumn, after, rowsMax);
  const update = prepareUpdate(database, sealedColumn);
  let sealed = 0;
  for (const row of rows) {
    if (keyIdOf(row.value) === ring.currentId) continue;
    const place = sealedColumn.place(row.key, row);
    const text = typeof row.value === "string" ? row.value : ring.open(row.value, place);
    const indexed = sealedColumn.index?.of(text);
    const index = indexed === undefined ? null : ring.indexes(indexed, usernameIndex)[0];
    const values = [ring.seal(text, place), ...(sealedColumn.index ? [index ?? null] : [])];
    update.run(...values, ...row.key);
    sealed++;
  }
  const last = rows.at(-1);
  const next =
    rows.length < rowsMax || !last
      ? { columnIndex: columnIndex + 1, after: undefined }
      : { columnIndex, after: last.key };
  return { next, sealed };
}

function readRows(
  database: Database,
  { table, column, key }: SealedColumn,
  after: PassPosition["after"],
  rowsMax: number,
) {
  const keys = key.join(", ");
  const marks = key.map(() => "?").join(", ");
  const origin = table === "messages" || table === "dead_letters" ? "origin" : "NULL";
  const rows = database
    .prepare(
      `SELECT ${keys}, ${column} AS sealed_value, ${origin} AS born_as FROM ${table}
       WHERE ${column} IS NOT NULL ${after ? `AND (${keys}) > (${marks})` : ""}
       ORDER BY ${keys} LIMIT ?`,
    )
    .all<Record<string, SqlValue>>(...(after ?? []), rowsMax);
  return rows.map((row) => ({
    key: key.map((name) => row[name] as SqlValue),
    value: row["sealed_value"],
    origin: row["born_as"] as number | null,
  }));
}

function prepareUpdate(database: Database, { table, column, index, key }: SealedColumn) {
  const where = key.map((name) => `${name} = ?`).join(" AND ");
  const indexed = index ? `, ${index.column} = ?` : "";
  return database.prepare(`UPDATE ${table} SET ${column} = ?${indexed} WHERE ${where}`);
}
