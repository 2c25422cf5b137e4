/**
 * Session: one life of a process on the database, under a number of its own.
 *
 * Its lock is held by the main connection, which does nothing but turns. When that is lost, the life is
 * over: what was in hand belongs to whoever takes it over, and the next life has another number.
 */
import { hostname } from "node:os";
import type { Clock } from "../../core/clock.ts";
import { StorageSessionLostError } from "../../core/errors.ts";
import { Loop } from "../../core/loop.ts";
import type { Pool } from "../../core/message.ts";
import type { AttemptRef } from "../../core/store.ts";
import type { Connection } from "./connection.ts";
import type { DataKeys } from "./data-keys.ts";
import type { MessageIds } from "./message-ids.ts";
import { attemptOver, type Held } from "./queue-work.ts";
import { keysNotice, lockClassSql, roleIsFree } from "./session-locks.ts";
import { beatEveryMs, mayBegin } from "./session-rules.ts";
import { Turns } from "./turns.ts";

/**
 * Notes which server this is, by its cluster and timeline, which a promotion changes, and since when. The
 * first one has always been there. All by the server's clock.
 */
const serverSql = `
  WITH server AS (
    SELECT system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) AS name,
      floor(extract(epoch FROM now()) * 1000)::bigint AS at,
      CASE WHEN EXISTS (SELECT 1 FROM settings WHERE name = 'database.server') THEN 1 ELSE 0 END AS replaces
    FROM pg_control_system()),
  noted AS (
    INSERT INTO settings AS s (name, value)
      SELECT 'database.server', server.name || '@' || server.at * replaces FROM server
    ON CONFLICT (name) DO UPDATE SET value = CASE split_part(s.value, '@', 1)
      WHEN split_part(excluded.value, '@', 1) THEN s.value ELSE excluded.value END
    RETURNING value)
  SELECT greatest(0, server.at - split_part(noted.value, '@', 2)::bigint) AS for_ms FROM noted, server`;

export interface SessionDeps {
  readonly clock: Clock;
  readonly now: () => number;
  readonly main: Connection;
  readonly keys: DataKeys;
  readonly ids: MessageIds;
  /** Names the process; the next one of that name is its successor. */
  readonly name: string;
  readonly version: string;
  readonly sessionMs: number;
  readonly laneLengthMax: number;
  readonly dedupeKeepMs: number;
  /** Whether another process works on what is queued for this pool. */
  readonly worksElsewhere: (pool: Pool) => boolean;
  /** Called when there is work for a pool that this process did not know of. */
  readonly onWork: (pool: Pool) => void;
  /** Called when the data keys have changed. */
  readonly onKeys: () => void;
  /** Called when another process has given up a role. */
  readonly onChange: () => void;
}

export class Session {
  /** The process's number, which is the key of its lock. */
  readonly number: number;
  /** Class of the locks of this schema. */
  readonly lockClass: number;
  readonly turns: Turns;
  readonly #deps: SessionDeps;
  readonly #held = new Map<number, Held>();
  readonly #beat: Loop;

  private constructor(deps: SessionDeps, number: number, lockClass: number) {
    this.#deps = deps;
    this.number = number;
    this.lockClass = lockClass;
    const { main: connection } = deps;
    this.turns = new Turns({ ...deps, connection, number });
    this.#beat = new Loop(deps.clock, async (loop) => {
      while ((await loop.wait(beatEveryMs(deps.sessionMs))) && !deps.main.lost) {
        // Whoever waits for work hears of the loss; the beat itself has nobody to tell.
        await this.turns.beat().catch(() => {});
      }
    });
  }

  /** Takes a number and its lock. */
  static async enter(deps: SessionDeps): Promise<Session> {
    const { keys, main, name, now, version } = deps;
    const [locks] = await main.all<{ class: number }>(lockClassSql);
    const lockClass = locks?.class as number;
    const number = await main.transaction(async () => {
      // No key can come between the reading of the keys and the row that says which are known.
      await main.exec("LOCK TABLE data_keys IN SHARE MODE");
      await keys.load(main);
      const [entered] = await main.all<{ number: number }>(
        "SELECT enter_2($1, $2, $3, $4, $5, $6, $7) AS number",
        [lockClass, name, hostname(), process.pid, version, now(), keys.newestId],
      );
      return entered?.number as number;
    });
    const session = new Session(deps, number, lockClass);
    await main.listen((said) => {
      if (said === keysNotice) deps.onKeys();
      else if (said === roleIsFree) deps.onChange();
      else void session.turns.beat().catch(() => {});
    });
    session.#beat.start();
    return session;
  }

  /**
   * Waits until a server that has just taken the place of another one has been there for as long as a
   * session lasts: a process on the old one may still send until then.
   */
  async untilServerSettled(signal: AbortSignal): Promise<void> {
    const { clock, main, sessionMs } = this.#deps;
    const [server] = await main.all<{ for_ms: number }>(serverSql);
    const leftMs = sessionMs - (server?.for_ms ?? sessionMs);
    if (leftMs > 0) await clock.sleep(leftMs, signal);
  }

  /** Tries to take locks of this schema. @returns the keys of those that it got. */
  async tryLocks(keys: readonly number[]): Promise<ReadonlySet<number>> {
    const rows = await this.#deps.main.all<{ key: number; ok: boolean }>(
      "SELECT k.key, pg_try_advisory_lock($1, k.key) AS ok FROM unnest($2::int[]) k(key)",
      [this.lockClass, keys],
    );
    return new Set(rows.flatMap(({ key, ok }) => (ok ? [key] : [])));
  }

  /** Gives up the lock of a role; the other processes hear of it and try at once. */
  async unlock(key: number): Promise<void> {
    const unlockSql = `SELECT pg_advisory_unlock($1, $2), pg_notify(current_schema(), '${roleIsFree}')`;
    await this.#deps.main.all(unlockSql, [this.lockClass, key]);
  }

  /** Whether a send, a poll or a step may begin: proof that the lock is held is fresh enough. */
  get mayBegin(): boolean {
    const { clock, main, sessionMs } = this.#deps;
    return !main.lost && mayBegin(clock.monotonicMs(), this.turns.provenAtMs, sessionMs);
  }

  /** @throws {StorageSessionLostError} when nothing may begin. */
  checkMayBegin(): void {
    if (this.mayBegin) return;
    throw (
      this.#deps.main.lost ??
      new StorageSessionLostError("the database has not confirmed a commit for too long")
    );
  }

  hold(held: Held): void {
    this.#held.set(held.row.id, held);
  }

  letGo({ messageId }: AttemptRef): void {
    this.#held.delete(messageId);
  }

  /** @throws {AttemptOverError} when this attempt does not hold its message. */
  heldBy(attempt: AttemptRef): Held {
    const held = this.#held.get(attempt.messageId);
    if (held?.claims === attempt.claims) return held;
    throw attemptOver(attempt);
  }

  /** Ends in good order: the next process finds a clean end. Rejects when that cannot be written. */
  async end(): Promise<void> {
    await this.#beat.stop();
    await this.turns.settle();
    await this.#deps.main.run("UPDATE processes SET ended = 'clean' WHERE number = $1", [
      this.number,
    ]);
    await this.#deps.main.end();
  }

  /** Cuts the connection, as a kill does. Never rejects. */
  async destroy(): Promise<void> {
    this.#deps.main.destroy();
    await this.#beat.stop();
  }
}
