/**
 * Move: brings everything a bot has stored from one database to another, or nothing of it.
 *
 * The target is filled in one transaction, compared with the source row by row, and commits last. Before it
 * does, the source is marked, so that there is no instant at which a bot could work on both. Killed in
 * between, the mark is not complete: the same move, made again, finds out whether the target has committed.
 * What was moved is brought back by a move in the other direction.
 */
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import { MoveRefusedError, StorageFailedError } from "../../core/errors.ts";
import type { SealedColumn, SqlValue } from "../../core/transaction.ts";
import { type MovedMark, movedError } from "../moved-mark.ts";
import { KeyRing } from "../sealing/key-ring.ts";
import { type DataKeyRow, unwrapAll } from "../sealing/wrapped-keys.ts";
import { documentTables } from "../sqlite/document-table.ts";
import { sealedColumnsOf, type TableSetList } from "../sqlite/table-sets.ts";
import {
  type Content,
  type End,
  type EndState,
  expectSameTables,
  type Receiver,
  type Row,
} from "./content.ts";
import { copyFiles } from "./copy-files.ts";
import { Tally } from "./tally.ts";

export interface MoveRequest {
  readonly from: End;
  readonly to: End;
  readonly keys: EncryptionKeys;
  /** The running module's own tables. */
  readonly tableSets: TableSetList;
  /** Names the move; no two have the same. */
  readonly id: string;
  readonly nowEpochMs: number;
}

/** A figure of both databases. */
export interface ComparedFigure {
  /** A table: its rows. A column: its sum. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

interface Copied {
  readonly figures: readonly ComparedFigure[];
  readonly filesMissing: number;
}

export type MoveReport =
  | {
      readonly kind: "moved";
      readonly figures: readonly ComparedFigure[];
      /** Files that calls wait to upload, and that are in neither place. */
      readonly filesMissing: number;
      /** Where is now what the target held before; `undefined`: it held nothing. */
      readonly kept: string | undefined;
    }
  /** An earlier process had moved everything, and was killed before it could write that down. */
  | { readonly kind: "finished" }
  /** The data never left the target: the move that was cut off had committed nothing. */
  | { readonly kind: "released" };

/**
 * Both ends are entered and closed here.
 *
 * @throws {BotError} when nothing was moved; a `StorageSessionLostError` also when that is not known.
 */
export async function moveData(request: MoveRequest): Promise<MoveReport> {
  const { from, to } = request;
  try {
    await from.enter("source");
    await to.enter("target");
    return await move(request);
  } finally {
    await to.close();
    await from.close();
  }
}

async function move(request: MoveRequest): Promise<MoveReport> {
  const { from, id, nowEpochMs, to } = request;
  const [source, target] = [await from.look(), await to.look()];
  if (target.mark && !target.mark.complete && target.mark.to === from.address) {
    if (source.arrived !== target.mark.id) {
      await to.setMark(undefined);
      return { kind: "released" };
    }
  }
  if (source.mark && !source.mark.complete && source.mark.id === target.arrived) {
    await from.setMark({ ...source.mark, complete: true });
    return { kind: "finished" };
  }
  expectMovable(request, source, target);
  const mark: MovedMark = { id, to: to.address, atEpochMs: nowEpochMs, complete: false };
  const { kept, result } = await to.receive({ id, aside: !target.empty }, async (receiver) => {
    let copied: Copied = { figures: [], filesMissing: 0 };
    await from.give(mark, async (content) => {
      copied = await copy(request, content, receiver);
    });
    return copied;
  });
  await from.setMark({ ...mark, complete: true });
  return { kind: "moved", ...result, kept };
}

function expectMovable({ from, to }: MoveRequest, source: EndState, target: EndState): void {
  const { mark } = source;
  if (mark && (mark.complete || mark.to !== to.address)) throw movedError(mark, from.address);
  if (source.empty) {
    throw new MoveRefusedError(`there are no data in ${from.address}`, {
      hint: "Nothing was changed. Name the place that has them: DATA_DIR, --bot, DATABASE_URL or --from.",
    });
  }
  // What was there before has left it, and is kept beside what comes.
  const left = target.mark && (target.mark.complete || target.mark.id === source.arrived);
  if (target.empty || left) return;
  throw new MoveRefusedError(`${to.address} is not empty`, {
    hint: `Nothing was changed. ${to.emptyHint}`,
  });
}

async function copy(
  { from, keys, tableSets, to }: MoveRequest,
  given: Content,
  receiver: Receiver,
): Promise<Copied> {
  expectSameTables(given.tables, receiver.tables);
  const sets = [documentTables, ...tableSets];
  const seals = new Seals(await openRing(given, keys), sealedColumnsOf(sets));
  const tallyOf = (content: Content) =>
    content.tables.map((table) => {
      const amounts = sets.flatMap(({ amounts: all = [] }) => all);
      const own = amounts.filter((amount) => amount.table === table.name);
      return new Tally(
        table,
        own.map(({ column }) => column),
      );
    });
  const tallies = tallyOf(given);
  for (const tally of tallies) {
    for await (const rows of given.rows(tally.table)) {
      seals.check(tally.table.name, rows);
      tally.add(rows);
      await receiver.add(tally.table, rows);
    }
  }
  await receiver.finish(await given.lastIds());
  const received = tallyOf(receiver);
  for (const tally of received) {
    for await (const rows of receiver.rows(tally.table)) tally.add(rows);
  }
  const figures = tallies.flatMap((tally) => {
    const other = received.find(({ table }) => table.name === tally.table.name);
    return compare(tally, other as Tally, `${from.address} and ${to.address}`);
  });
  const { missing, ...files } = await copyFiles(given, receiver);
  return { figures: [...figures, { name: "files", ...files }], filesMissing: missing };
}

/** @throws {StorageFailedError} when they are not the same. */
function compare(given: Tally, received: Tally, where: string): readonly ComparedFigure[] {
  const { name } = given.table;
  const sums = [...given.sums].map(([column, from]) => ({
    ...{ name: `${name}.${column}`, from },
    to: received.sums.get(column) ?? 0,
  }));
  const figures = [{ name, from: given.rows, to: received.rows }, ...sums];
  if (given.digest === received.digest && figures.every(({ from, to }) => from === to)) {
    return figures;
  }
  throw new StorageFailedError(`the table ${name} is not the same in ${where}`, {
    hint: "Nothing was moved, and the target is as it was before.",
  });
}

async function openRing(content: Content, keys: EncryptionKeys): Promise<KeyRing> {
  const table = content.tables.find(({ name }) => name === "data_keys");
  const wrapped: Row[] = [];
  if (table) for await (const rows of content.rows(table)) wrapped.push(...rows);
  const byId = wrapped as unknown as DataKeyRow[];
  const ring = new KeyRing();
  const { opened } = unwrapAll(
    byId.toSorted((a, b) => a.id - b.id),
    keys,
  );
  for (const { bytes, id } of opened) ring.add(id, bytes);
  return ring;
}

/** Sealed values are moved as they are, and only opened to know that they are whole. */
class Seals {
  readonly #ring: KeyRing;
  readonly #columns: readonly SealedColumn[];

  constructor(ring: KeyRing, columns: readonly SealedColumn[]) {
    this.#ring = ring;
    this.#columns = columns;
  }

  /** @throws {StorageCorruptError} when a seal is broken. */
  check(table: string, rows: readonly Row[]): void {
    for (const { column, key, place, placeColumn, table: sealed } of this.#columns) {
      if (sealed !== table) continue;
      for (const row of rows) {
        if (row[column] === null) continue;
        const keyValues = key.map((name) => row[name] as SqlValue);
        const placeValue = placeColumn === undefined ? null : (row[placeColumn] as SqlValue);
        this.#ring.open(row[column], place(keyValues, placeValue));
      }
    }
  }
}
