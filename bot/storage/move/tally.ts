/** Tally: counts the rows of a table and sums them up, so that two tables can be compared. */
import { createHash } from "node:crypto";
import { MoveRefusedError } from "../../core/errors.ts";
import type { SqlValue } from "../../core/transaction.ts";
import { messagesTable, type Row, type Table } from "./content.ts";

export class Tally {
  readonly table: Table;
  /** Sums of the columns that hold amounts. */
  readonly sums: Map<string, number>;
  readonly #columns: readonly string[];
  #rows = 0;
  #digest = 0n;

  /** @param amounts Columns whose sums an operator knows. */
  constructor(table: Table, amounts: readonly string[]) {
    this.table = table;
    this.#columns = table.columns.filter((column) => column !== "place").toSorted();
    this.sums = new Map(amounts.map((column) => [column, 0]));
  }

  get rows(): number {
    return this.#rows;
  }

  /** The same for the same rows in any order; different for others, except by chance (2 ** -64). */
  get digest(): bigint {
    return this.#digest;
  }

  /** @throws {MoveRefusedError} when a number is too large to be exact. */
  add(rows: readonly Row[]): void {
    for (const row of rows) {
      const text = JSON.stringify(this.#columns.map((column) => this.#form(row, column)));
      const hash = createHash("sha256").update(text).digest();
      this.#digest = BigInt.asUintN(64, this.#digest + hash.readBigUInt64BE());
      for (const [column, sum] of this.sums) this.sums.set(column, sum + Number(row[column] ?? 0));
      this.#rows++;
    }
  }

  #form(row: Row, column: string): string | number | null {
    // Once a message is in its lane, this instant only says where; that its place is the same is compared.
    const settled =
      this.table.name === messagesTable.name && column === "enters_at" && row["rank"] !== null;
    return settled ? null : this.#exact(row[column] ?? null, column);
  }

  #exact(value: SqlValue, column: string): string | number | null {
    if (ArrayBuffer.isView(value)) return `x${bytesOf(value).toString("base64")}`;
    if (typeof value === "string") return `t${value}`;
    if (typeof value === "boolean") return Number(value);
    if (value === null || !Number.isInteger(value) || Number.isSafeInteger(value)) {
      return value as number | null;
    }
    throw new MoveRefusedError(
      `a number in ${this.table.name}.${column} is too large to be moved exactly`,
      { hint: "Nothing was changed." },
    );
  }
}

function bytesOf(view: NodeJS.ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
