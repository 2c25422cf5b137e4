/**
 * Power cut: what is left of a database when the machine loses its power.
 *
 * Everything that a sync has covered is left, and of what was written after it as much as the disk had got to:
 * often nothing, sometimes half a page. SQLite's own checkpoint syncs the log before it moves pages into the
 * database. Source: sqlite.org/walformat.html.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";

/** Bytes of the log's header; of the header of a frame, which a page follows. */
const headerBytes = 32;
const frameHeaderBytes = 24;
/** Where the number of frames that a checkpoint has moved stands in the log's index. */
const movedFramesAt = 96;

/** A place in the log. A log that begins anew has another salt. */
interface Place {
  readonly salt: string;
  readonly bytes: number;
}

export class PowerCut {
  readonly #path: string;
  #durable: Place | undefined;

  /** @param path Of the database. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Call it when a sync begins. @returns what to call when it is over. */
  syncBegins(): () => void {
    const written = this.#placeNow();
    return () => {
      this.#durable = written;
    };
  }

  /**
   * Call it while the database is open; what it returns then, when all its connections are closed: it puts the files
   * back as the cut leaves them.
   *
   * @param part How much of what no sync has covered is left, 0 to 1.
   */
  strike(part: number): () => void {
    const database = readFileSync(this.#path);
    const log = this.#read("-wal");
    const keep = this.#durableBytes(log);
    const left = log.subarray(0, keep + Math.floor((log.length - keep) * part));
    return () => {
      writeFileSync(this.#path, database);
      writeFileSync(`${this.#path}-wal`, left);
      rmSync(`${this.#path}-shm`, { force: true });
    };
  }

  #durableBytes(log: Buffer): number {
    const synced = this.#durable?.salt === saltOf(log) ? this.#durable.bytes : 0;
    const index = this.#read("-shm");
    const moved = index.length > movedFramesAt ? index.readUInt32LE(movedFramesAt) : 0;
    const pageBytes = log.length < headerBytes ? 0 : log.readUInt32BE(8);
    const movedBytes = moved === 0 ? 0 : headerBytes + moved * (frameHeaderBytes + pageBytes);
    return Math.min(log.length, Math.max(synced, movedBytes));
  }

  #placeNow(): Place {
    const header = Buffer.alloc(headerBytes);
    const file = openSync(`${this.#path}-wal`, "a+");
    try {
      readSync(file, header, 0, headerBytes, 0);
      return { salt: saltOf(header), bytes: fstatSync(file).size };
    } finally {
      closeSync(file);
    }
  }

  #read(suffix: string): Buffer {
    const path = this.#path + suffix;
    return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  }
}

function saltOf(log: Buffer): string {
  return log.toString("hex", 16, 24);
}
