/**
 * Sealed files: keeps the files of recorded calls in `files/` in the data directory, each sealed with a
 * key that only the call has.
 *
 * Owns that directory. A file is whole and on disk before the commit that names it, so a kill loses
 * none. The sweeper removes what no message and no dead letter names, so a kill leaves none behind:
 * a file of this process once an attempt that stored it must be over, one of an earlier process at once,
 * because its attempts ended with it. A file must also be unnamed in two looks in a row: a commit that a
 * full disk held up is repeated sooner than that. Where several processes share the store, a file is also
 * in the store, and the process that makes the call brings it to its own disk.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import {
  BotError,
  FileGoneError,
  FilesFullError,
  FileTooLargeError,
  FileUnreadableError,
  recordError,
  StorageFailedError,
  StorageFullError,
} from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { FileContent, FileStore, PutOptions, StoredFile } from "../../core/file-store.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";
import { Loop } from "../../core/loop.ts";
import type { Store } from "../../core/store.ts";
import { syncPath } from "../../core/sync-path.ts";
import { contentAt, holdFailure } from "../../core/unread-content.ts";
import { checkSealed, readSealed, sealedBytes, writeSealed } from "./sealed-file.ts";

export interface SealedFilesDeps {
  /** The bot's data directory. */
  readonly directory: string;
  readonly clock: Clock;
  readonly publish: Publish;
  readonly store: Pick<Store, "filesInUse" | "shared">;
  /** Maximum bytes of all files together. */
  readonly totalBytesMax: number;
  /** Milliseconds after which an attempt that stored a file is over. */
  readonly attemptMs: number;
}

const sweepEveryMs = 60_000;
const unfinishedSuffix = ".part";
const fileName = /^[0-9a-f]{64}$/;

export class SealedFiles implements Component, FileStore {
  readonly name = "files";
  readonly #deps: SealedFilesDeps;
  readonly #directory: string;
  readonly #secret = randomBytes(32);
  readonly #sweeper: Loop;
  /** When this process stored each file last, in monotonic milliseconds. */
  readonly #storedAtMs = new Map<string, number>();
  /** Files that are being written. */
  readonly #unfinished = new Map<string, { bytes: number }>();
  /** Files that nothing named at the last look. */
  #unnamed: ReadonlySet<string> = new Set();
  #totalBytes: number | undefined;

  constructor(deps: SealedFilesDeps) {
    this.#deps = deps;
    this.#directory = join(deps.directory, "files");
    this.#sweeper = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(sweepEveryMs)) await this.sweep();
    });
  }

  async start(): Promise<void> {
    this.#sweeper.start();
  }

  async stop(): Promise<void> {
    await this.#sweeper.stop();
  }

  heartbeat(): Heartbeat {
    return this.#sweeper.heartbeat;
  }

  async put(content: FileContent, { bytesMax, signal }: PutOptions): Promise<StoredFile> {
    holdFailure(content);
    const { clock, totalBytesMax } = this.#deps;
    const unfinished = `${randomBytes(16).toString("hex")}${unfinishedSuffix}`;
    const path = join(this.#directory, unfinished);
    const written = { bytes: 0 };
    const admit = (bytes: number) => {
      signal.throwIfAborted();
      if (bytes > bytesMax) throw new FileTooLargeError(bytesMax);
      written.bytes = sealedBytes(bytes);
      if (this.#total() > totalBytesMax) throw new FilesFullError(totalBytesMax);
    };
    try {
      if (content instanceof Uint8Array) admit(content.length);
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      this.#unfinished.set(unfinished, written);
      const source = content instanceof Uint8Array ? content : readable(content, signal);
      const file = await writeSealed(path, source, this.#secret, admit);
      // The sweeper looks at this map in the turn in which it removes a file.
      this.#storedAtMs.set(file.name, clock.monotonicMs());
      const place = join(this.#directory, file.name);
      renameSync(path, place);
      syncPath(this.#directory);
      this.#totalBytes = undefined;
      await this.#deps.store.shared?.files.save(file.name, contentAt(place));
      return file;
    } catch (error) {
      throw toStorageError(error);
    } finally {
      this.#unfinished.delete(unfinished);
      rmSync(path, { force: true });
    }
  }

  async open(file: StoredFile): Promise<AsyncIterable<Uint8Array>> {
    if (!fileName.test(file.name)) throw new FileGoneError(file.name);
    const path = join(this.#directory, file.name);
    try {
      await checkSealed(path, file).catch((error) => this.#fetch(path, file, error));
    } catch (cause) {
      if (cause instanceof BotError) throw cause;
      throw new FileGoneError(file.name, { cause });
    }
    return this.#read(path, file);
  }

  /** Brings a file that another process has stored to this disk. @throws `missing` where none can be. */
  async #fetch(path: string, file: StoredFile, missing: unknown): Promise<void> {
    const { clock, store } = this.#deps;
    const depot = store.shared?.files;
    if (!depot) throw missing;
    const unfinished = `${randomBytes(16).toString("hex")}${unfinishedSuffix}`;
    this.#unfinished.set(unfinished, { bytes: sealedBytes(file.bytes) });
    const part = join(this.#directory, unfinished);
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      await writeFile(part, depot.load(file.name), { mode: 0o600 });
      await checkSealed(part, file);
      this.#storedAtMs.set(file.name, clock.monotonicMs());
      renameSync(part, path);
      this.#totalBytes = undefined;
    } finally {
      this.#unfinished.delete(unfinished);
      rmSync(part, { force: true });
    }
  }

  async *#read(path: string, file: StoredFile): AsyncIterable<Uint8Array> {
    try {
      yield* readSealed(path, file);
    } catch (cause) {
      throw new FileGoneError(file.name, { cause });
    }
  }

  /** Removes the files that nothing names any more. Never rejects. */
  async sweep(): Promise<void> {
    const { attemptMs, clock, publish, store } = this.#deps;
    try {
      // Somebody may be about to commit the call that names it.
      await store.shared?.files.forget(clock.epochMs() - attemptMs - sweepEveryMs);
      const present = this.#list();
      if (present.length === 0) return;
      const named = new Set(await store.filesInUse());
      const unnamed = present.filter((name) => !named.has(name) && !this.#unfinished.has(name));
      for (const name of unnamed) {
        const storedAtMs = this.#storedAtMs.get(name) ?? Number.NEGATIVE_INFINITY;
        if (!this.#unnamed.has(name) || clock.monotonicMs() - storedAtMs < attemptMs) continue;
        rmSync(join(this.#directory, name), { force: true });
        this.#storedAtMs.delete(name);
      }
      this.#unnamed = new Set(unnamed);
    } catch (error) {
      this.#unnamed = new Set();
      const recorded = recordError(error, clock.epochMs());
      publish({ type: "queue.commit-failed", error: recorded, retryInMs: sweepEveryMs });
    } finally {
      this.#totalBytes = undefined;
    }
  }

  #list(): string[] {
    try {
      const names = readdirSync(this.#directory);
      return names.filter((name) => fileName.test(name) || name.endsWith(unfinishedSuffix));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  /** Bytes of all files, those that are being written included. */
  #total(): number {
    const size = (name: string) =>
      statSync(join(this.#directory, name), { throwIfNoEntry: false })?.size ?? 0;
    const finished = () => this.#list().filter((name) => fileName.test(name));
    this.#totalBytes ??= finished().reduce((sum, name) => sum + size(name), 0);
    return [...this.#unfinished.values()].reduce((sum, { bytes }) => sum + bytes, this.#totalBytes);
  }
}

/** The content, ending with a `FileUnreadableError` when it cannot be read to its end. */
async function* readable(
  content: Exclude<FileContent, Uint8Array>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array | string> {
  const parts = content[Symbol.asyncIterator]();
  let whole = false;
  try {
    for (;;) {
      const part = await orAborted(Promise.resolve(parts.next()), signal);
      if (part.done) break;
      yield part.value;
    }
    whole = true;
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : typeof cause;
    throw new FileUnreadableError(codeOf(cause) ?? name, { cause });
  } finally {
    // Not awaited: a stream that hangs would hold this up as well.
    if (!whole) Promise.resolve(parts.return?.()).catch(() => {});
  }
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function toStorageError(error: unknown): unknown {
  if (error instanceof BotError) return error;
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new StorageFullError("a file to be sent could not be stored", { cause: error });
  }
  if (code === undefined) return error;
  return new StorageFailedError(`a file to be sent could not be stored (${code})`, {
    cause: error,
  });
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}
