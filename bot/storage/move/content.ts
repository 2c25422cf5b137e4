/**
 * Content: what a bot has stored, shown in the same tables and rows by every engine, so that it can be moved
 * from one to another and be compared afterwards.
 *
 * Most tables are alike. The queue's are not: the order of the lanes, what is in hand and the parkings of
 * lanes stand in other tables on each engine. They are shown as columns of `messages`, and as `parks`.
 */
import { MoveRefusedError } from "../../core/errors.ts";
import type { SqlValue } from "../../core/transaction.ts";
import type { MovedMark } from "../moved-mark.ts";
import { messageColumns } from "../sqlite/message-rows.ts";

export type Row = Readonly<Record<string, SqlValue>>;

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

/** The columns in which the queue's order is shown. */
export interface Placing {
  /** Place in its lane, from 1; `null`: it is delayed, and in no lane. */
  readonly rank: number | null;
  /** Rises with the rank in each lane; `null` where the engine keeps no order over all lanes. */
  readonly place: number | null;
  /** 1: an attempt was under way when the last process ended, and its death is not counted yet. */
  readonly in_hand: number;
}

export const messagesTable: Table = {
  name: "messages",
  columns: [...messageColumns, "payload", "rank", "place", "in_hand"],
};

/** Until when no message of a lane starts, as far as that is still to come. */
export const parksTable: Table = { name: "parks", columns: ["pool", "lane", "not_before"] };

/** Facts that belong to the engine or to the file, and stay with it. */
export const engineFacts = "storage.%";

export interface Content {
  /** In the order in which they were made: none refers to a later one. */
  readonly tables: readonly Table[];
  rows(table: Table): AsyncIterable<readonly Row[]>;
  /** The highest id ever given, by table, where the table never gives one twice. */
  lastIds(): Promise<ReadonlyMap<string, number>>;
  /** The sealed content of a file that a message waits to send; nothing when it is not there. */
  file(name: string): AsyncIterable<Uint8Array>;
}

/** An empty database that is being filled. */
export interface Receiver extends Content {
  add(table: Table, rows: readonly Row[]): Promise<void>;
  /** Stores such a file. What comes without content leaves what is there already. */
  addFile(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Makes the rest fit to what was added. Ids go on after the highest of both. */
  finish(lastIds: ReadonlyMap<string, number>): Promise<void>;
}

export interface EndState {
  /** Nothing of any bot is there. */
  readonly empty: boolean;
  readonly mark: MovedMark | undefined;
  /** The move by which its data came. */
  readonly arrived: string | undefined;
}

/** One of the two databases between which data are moved. */
export interface End {
  /** For people, without a password. */
  readonly address: string;
  /** The mend for the operator, where something is there already. */
  readonly emptyHint: string;
  /**
   * Takes hold of it.
   *
   * @throws {BotError} `StorageInUseError` while a bot works on it; another when it cannot be read as it is.
   */
  enter(role: "source" | "target"): Promise<void>;
  look(): Promise<EndState>;
  /** Lets `work` read; afterwards it is marked. All of it is on disk when this resolves. */
  give(mark: MovedMark, work: (content: Content) => Promise<void>): Promise<void>;
  /**
   * Lets `work` fill it, in one transaction. @param aside Whether what is there is kept beside it.
   *
   * @returns what `work` gave, and where is now what was there before.
   */
  receive<T>(
    arrival: { readonly id: string; readonly aside: boolean },
    work: (receiver: Receiver) => Promise<T>,
  ): Promise<{ readonly result: T; readonly kept: string | undefined }>;
  setMark(mark: MovedMark | undefined): Promise<void>;
  /** Never rejects. */
  close(): Promise<void>;
}

/** @throws {MoveRefusedError} when these columns of the queue are not those that are moved. */
export function expectColumns(table: string, found: readonly string[], known: readonly string[]) {
  const unknown = found.filter((column) => !known.includes(column));
  const missing = known.filter((column) => !found.includes(column));
  if (unknown.length + missing.length === 0) return;
  throw new MoveRefusedError(
    `the table ${table} has other columns than this program moves: ${[...unknown, ...missing].join(", ")}`,
    { hint: "Nothing was changed. Use the version of the bot that works on these data." },
  );
}

/** @throws {MoveRefusedError} naming a table or a column that only one of the two has. */
export function expectSameTables(given: readonly Table[], received: readonly Table[]): void {
  const names = new Set([...given, ...received].map(({ name }) => name));
  for (const name of names) {
    const here = given.find((table) => table.name === name);
    const there = received.find((table) => table.name === name);
    if (here && there) {
      expectColumns(name, here.columns, there.columns);
      continue;
    }
    throw new MoveRefusedError(
      `this bot does not know the table ${name}, which ${here ? "holds data" : "would be new"}`,
      {
        hint:
          "Nothing was changed, and nothing is left out silently. Run this program with the BOT_MODULE that " +
          `brings the table; if nobody needs it any more: DROP TABLE ${name}`,
      },
    );
  }
}
