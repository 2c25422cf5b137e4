/**
 * Sessions: the connections of this process, and its main session, one after the other.
 *
 * When the main session is lost it enters again under a new number. Until then there is none, and whoever
 * needs one hears why.
 */
import type { Clock } from "../../core/clock.ts";
import type { EncryptionKeys } from "../../core/encryption-keys.ts";
import {
  BotError,
  recordError,
  StorageBusyError,
  StorageClosedError,
  StorageInUseError,
  type StorageSessionLostError,
} from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import { Loop } from "../../core/loop.ts";
import type { Pool } from "../../core/message.ts";
import type { Secret } from "../../core/secret.ts";
import type { PreviousEnd } from "../../core/store.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import type { TableSetList } from "../sqlite/table-sets.ts";
import { Connection } from "./connection.ts";
import { DataKeys, openDataKeys } from "./data-keys.ts";
import type { MessageIds } from "./message-ids.ts";
import * as reading from "./reading.ts";
import { migrate } from "./schema.ts";
import { Session } from "./session.ts";
import { nameLockSql } from "./session-locks.ts";
import { mainSettings, stepSettings } from "./session-rules.ts";
import { SilentConnections } from "./silent-connections.ts";
import { probeDatabase } from "./startup-probe.ts";
import { StepConnections } from "./step-connections.ts";

export interface SessionsDeps {
  readonly url: Secret;
  /** Lower-case letters, digits and underscores. */
  readonly schema: string;
  readonly clock: Clock;
  /** Milliseconds since the epoch that never jump. */
  readonly now: () => number;
  readonly publish: Publish;
  readonly keys: EncryptionKeys;
  readonly tableSets: TableSetList;
  readonly ids: MessageIds;
  readonly name: string;
  readonly beforeFirst?: () => void;
  readonly version: string;
  readonly sessionMs: number;
  /** Connections for steps and for reading. */
  readonly stepConnectionsMax: number;
  readonly laneLengthMax: number;
  readonly dedupeKeepMs: number;
  readonly worksElsewhere: (pool: Pool) => boolean;
  readonly onWork: (pool: Pool) => void;
  /** Called when there is a session, and when there is none any more. */
  readonly onChange: () => void;
  /** Called when the data keys have been read again, because they have changed. */
  readonly onKeys: () => void;
  /** Called when entering again cannot succeed. */
  readonly onFatal: (error: BotError) => void;
}

/** Pause between two attempts to enter. */
const reenterMs = 250;

export class Sessions {
  readonly #deps: SessionsDeps;
  readonly #steps: StepConnections;
  readonly #silent: SilentConnections;
  readonly #reenter: Loop;
  /** The numbers of all sessions of this process. */
  readonly #lives: number[] = [];
  /** The keys with which the connections of this process seal and open. */
  readonly keys: DataKeys;
  /** Why the keys could not be read when they had changed, as it was last said. */
  #unread = "";
  #session: Session | undefined;
  /** The session that was lost, until the next one has compared its commits. */
  #before: Session | undefined;
  #lost: StorageSessionLostError | undefined;

  constructor(deps: SessionsDeps) {
    const { clock, schema, sessionMs, url } = deps;
    this.#deps = deps;
    this.keys = new DataKeys(deps.keys);
    this.#steps = new StepConnections(
      () => this.#connect(stepSettings(sessionMs)),
      deps.stepConnectionsMax,
    );
    this.#silent = new SilentConnections({
      clock,
      silentMs: sessionMs,
      connect: () => Connection.open({ url, schema, settings: stepSettings(sessionMs) }),
    });
    this.#reenter = new Loop(clock, async (loop) => {
      while (await loop.wait(Number.POSITIVE_INFINITY)) await this.#enterAgain(loop);
    });
  }

  // ---- what there is ----------------------------------------------------------------------------

  /** The session as it is now; `undefined` while there is none. */
  get current(): Session | undefined {
    return this.#session;
  }

  /** The numbers of all sessions of this process, the first one first. */
  get lives(): readonly number[] {
    return this.#lives;
  }

  /** @throws {StorageSessionLostError | StorageClosedError} while there is none. */
  require(): Session {
    if (this.#session) return this.#session;
    throw this.#lost ?? new StorageClosedError("the store is not open");
  }

  /** @throws {StorageClosedError} before the store is open. */
  get ring(): KeyRing {
    if (this.keys.newestId > 0) return this.keys.ring;
    throw new StorageClosedError("the store is not open");
  }

  /** Aborts when the store closes. */
  get signal(): AbortSignal {
    return this.#reenter.signal;
  }

  /** Runs `work`, which may seal, in a transaction on a connection for steps. */
  write<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.#steps.use((connection) => this.keys.writing(connection, work));
  }

  /** Runs `work`, which seals nothing, on a connection for steps; only while there is a session. */
  async read<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    this.require();
    return this.#steps.use((connection) => this.keys.reading(connection, work));
  }

  // ---- life -------------------------------------------------------------------------------------

  /** @returns how the process before this one ended. */
  async open(): Promise<PreviousEnd> {
    const { beforeFirst, keys, name, now, publish, schema, tableSets } = this.#deps;
    this.#silent.start();
    const previousEnd = await this.#steps.use(async (other) => {
      const first = await this.#connect({});
      try {
        await probeDatabase(first, other);
        if (!(await reading.hasWorked(first, name))) beforeFirst?.();
        await migrate(first, schema, tableSets, now());
        const rewrapped = await openDataKeys(first, keys, now());
        if (rewrapped) publish({ type: "encryption-key.changed" });
        return await reading.previousEnd(first, name);
      } finally {
        await first.end();
      }
    });
    await this.#enterAtFirst();
    this.#reenter.start();
    return previousEnd;
  }

  /** Waits for as long as the session of a process that died can last. */
  async #enterAtFirst(): Promise<void> {
    const { clock, sessionMs } = this.#deps;
    const untilMs = clock.monotonicMs() + 2 * sessionMs;
    for (;;) {
      try {
        return await this.#enter();
      } catch (error) {
        const passes = error instanceof StorageInUseError || error instanceof StorageBusyError;
        if (!passes || clock.monotonicMs() >= untilMs) throw error;
        await clock.sleep(reenterMs, this.signal);
      }
    }
  }

  #connect(
    settings: Readonly<Record<string, number>>,
    onLost?: (error: StorageSessionLostError) => void,
  ): Promise<Connection> {
    const { schema, url } = this.#deps;
    const watch = (connection: Connection) => this.#silent.watch(connection);
    return Connection.open({ url, schema, settings, watch, ...(onLost && { onLost }) });
  }

  async #enter(): Promise<void> {
    const { onChange, publish, sessionMs } = this.#deps;
    let session: Session | undefined;
    const main = await this.#connect(mainSettings(sessionMs), (error) => {
      if (session && this.#session === session) this.#lose(error);
    });
    let lostCommits: number;
    try {
      await this.#claimName(main);
      session = await Session.enter({
        ...{ ...this.#deps, main, keys: this.keys },
        onKeys: () => void this.#learnKeys(),
      });
      lostCommits = await this.#countLostCommits(main);
      if (main.lost) throw main.lost;
    } catch (error) {
      // It may hold locks already, which the next attempt needs.
      if (session) await session.destroy();
      else main.destroy();
      throw error;
    }
    this.#deps.ids.forget();
    this.#session = session;
    this.#before = undefined;
    this.#lost = undefined;
    this.#lives.push(session.number);
    // Who hears of it submits what it has before anything else is committed.
    if (lostCommits > 0) publish({ type: "storage.commits-lost", commits: lostCommits });
    onChange();
  }

  /** Files in a data directory have one owner, and the database can tell who lives. */
  async #claimName(main: Connection): Promise<void> {
    const [claimed] = await main.all<{ ok: boolean }>(nameLockSql, [this.#deps.name]);
    if (claimed?.ok) return;
    throw new StorageInUseError("another process works with this data directory", {
      hint: "Give each process on a machine a DATA_DIR of its own.",
    });
  }

  /** Reads the data keys, which have changed, and tells the others that this process has them. */
  async #learnKeys(): Promise<void> {
    const { now, onKeys, publish } = this.#deps;
    try {
      await this.read(async (connection) => {
        await this.keys.load(connection);
        await connection.run("UPDATE processes SET data_key = $2 WHERE number = $1", [
          ...[this.require().number, this.keys.newestId],
        ]);
      });
      this.#unread = "";
      onKeys();
    } catch (error) {
      // The rotation waits for this process, and goes on telling it.
      const recorded = recordError(error, now());
      if (!(error instanceof BotError && error.transient) && recorded.message !== this.#unread) {
        this.#unread = recorded.message;
        publish({ type: "keys.sweep-failed", error: recorded });
      }
    }
  }

  /** Commits of the session before that PostgreSQL has confirmed and does not have. */
  async #countLostCommits(main: Connection): Promise<number> {
    const before = this.#before;
    if (!before) return 0;
    const [row] = await main.all<{ commits: number }>(
      "SELECT commits FROM processes WHERE number = $1",
      [before.number],
    );
    return Math.max(0, before.turns.acknowledged - (row?.commits ?? 0));
  }

  #lose(error: StorageSessionLostError): void {
    const session = this.#session;
    this.#before = session;
    this.#session = undefined;
    this.#lost = error;
    void session?.destroy();
    // A link that fell silent took all connections, and an unused one does not show it until it is used.
    this.#steps.cutFree();
    this.#deps.onChange();
    this.#reenter.wake();
  }

  async #enterAgain(loop: Loop): Promise<void> {
    while (!this.#session && !loop.stopped) {
      try {
        await this.#enter();
      } catch (error) {
        if (!(error instanceof BotError && error.transient)) {
          this.#fail(error);
          return;
        }
        await loop.pause(reenterMs);
      }
    }
  }

  #fail(error: unknown): void {
    const { now, onFatal, publish } = this.#deps;
    const fatal =
      error instanceof BotError
        ? error
        : new StorageClosedError("entering failed", { cause: error });
    const { code, message } = fatal;
    publish({ type: "storage.failed", error: { code, message, atEpochMs: now() } });
    onFatal(fatal);
  }

  /** Ends in good order. Safe twice; never rejects. */
  async close(): Promise<void> {
    const session = await this.#end();
    // When the end cannot be written, the next start finds an unclean one, as after a kill.
    await session?.end().catch(() => session.destroy());
    await this.#steps.close();
    await this.#silent.stop();
  }

  /** Cuts all connections at once, as a kill does. */
  async kill(): Promise<void> {
    const session = await this.#end();
    await session?.destroy();
    this.#steps.destroy();
    await this.#silent.stop();
  }

  /** @returns the session that is to be ended. */
  async #end(): Promise<Session | undefined> {
    // It may be entering, and then there is a session only afterwards.
    await this.#reenter.stop();
    const session = this.#session;
    this.#session = undefined;
    return session;
  }
}
