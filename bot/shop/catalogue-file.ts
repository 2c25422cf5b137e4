/**
 * Catalogue file: the products in force, read again when the file has changed.
 *
 * It is looked at when it is used, every two seconds at most, so no watcher can miss a change or hold the
 * process. A file with problems changes nothing: the catalogue before it stays in force, and the problems
 * are kept for administrators. Reading is synchronous, because the file is small, local, and rarely read.
 */
import { readFileSync, statSync } from "node:fs";
import { type Catalogue, CatalogueError, parseCatalogue } from "./catalogue.ts";

/** Milliseconds between two looks. */
const lookEveryMs = 2_000;
/** A hundred times what fifty products need. */
const bytesMax = 10_000_000;

export class CatalogueFile {
  readonly #path: string;
  #catalogue: Catalogue;
  #seen: string;
  #problem: CatalogueError | undefined;
  #lookedAtEpochMs = Number.NEGATIVE_INFINITY;
  /** The update that found the file as it is now. */
  #foundBy: number | undefined;

  /** @throws {CatalogueError} when the file cannot be used at the start; there is no other catalogue then. */
  constructor(path: string) {
    this.#path = path;
    this.#seen = markOf(path);
    this.#catalogue = parseCatalogue(readFileSync(path, "utf8"), path);
  }

  get catalogue(): Catalogue {
    return this.#catalogue;
  }

  /** Why the file as it is now is not used; `undefined` when it is. */
  get problem(): CatalogueError | undefined {
    return this.#problem;
  }

  /**
   * Looks whether the file has changed, and takes it over if it can be used.
   *
   * @returns what administrators should hear: the same in every attempt at the update that found it.
   */
  look(updateId: number, nowEpochMs: number): "changed" | "refused" | undefined {
    if (Math.abs(nowEpochMs - this.#lookedAtEpochMs) >= lookEveryMs) {
      this.#lookedAtEpochMs = nowEpochMs;
      const mark = markOf(this.#path);
      if (mark !== this.#seen) {
        this.#seen = mark;
        this.#foundBy = updateId;
        this.#read();
      }
    }
    if (this.#foundBy !== updateId) return undefined;
    return this.#problem ? "refused" : "changed";
  }

  #read(): void {
    try {
      const next = parseCatalogue(readText(this.#path), this.#path);
      refuseOtherCurrency(next, this.#catalogue, this.#path);
      this.#catalogue = next;
      this.#problem = undefined;
    } catch (error) {
      // What cannot be read at all, for instance while an editor replaces it, is a problem like any other.
      this.#problem = error instanceof CatalogueError ? error : unreadable(this.#path, error);
    }
  }
}

/** Changes whenever the file does, as far as its time, size and identity tell. */
function markOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats ? `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}` : "missing";
}

function readText(path: string): string {
  if (statSync(path).size > bytesMax) throw new Error(`it has more than ${bytesMax} bytes`);
  return readFileSync(path, "utf8");
}

/** Balances are kept in minor units of the currency that the bot began with. */
function refuseOtherCurrency(next: Catalogue, now: Catalogue, fileName: string): void {
  const { code, exponent } = now.currency;
  if (next.currency.code === code && next.currency.exponent === exponent) return;
  const problem = {
    path: "currency",
    expected: `${code} with ${exponent} decimals, as before`,
    received: `${next.currency.code} with ${next.currency.exponent}`,
    hint: "Balances are kept in it, so it cannot change while the bot runs.",
  };
  throw new CatalogueError([problem], { fileName });
}

function unreadable(fileName: string, cause: unknown): CatalogueError {
  const received = cause instanceof Error ? cause.message : "something unreadable";
  const problem = { path: "(file)", expected: "a file", received, hint: "Put it back." };
  return new CatalogueError([problem], { fileName, cause });
}
