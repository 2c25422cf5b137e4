/**
 * Connection: one session with PostgreSQL; no other file calls the client.
 *
 * Translates PostgreSQL's errors into ours. A session that ended, or whose commits may not have
 * reached the standby, is lost: every later call is refused, and `onLost` is called once.
 */
import pg from "pg";
import {
  BotError,
  DatabaseUnsuitableError,
  StorageBusyError,
  StorageCorruptError,
  StorageFullError,
  StorageSessionLostError,
} from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";
import type { SqlValue } from "../../core/transaction.ts";
import { type MovedMark, movedError } from "../moved-mark.ts";
import { addressesOf } from "./addresses.ts";

export interface ConnectionOptions {
  readonly url: Secret;
  /** The tables stand in this schema. */
  readonly schema: string;
  /** Settings of the session, by name; milliseconds where they are times. */
  readonly settings: Readonly<Record<string, number>>;
  /** Called once, when the session has ended by itself. Default: nobody is told. */
  readonly onLost?: (error: StorageSessionLostError) => void;
  /** Called before its first statement. Default: nobody watches whether it falls silent. */
  readonly watch?: (connection: Connection) => void;
}

/** A value of a statement; an array becomes PostgreSQL's array. */
export type Value = SqlValue | boolean | readonly (SqlValue | boolean)[];

const connectMsMax = 5_000;

/** Numbers that SQL counts with come as text, because they may be larger than a number is exact. */
const textAsNumber = new Set<number>([pg.types.builtins.INT8, pg.types.builtins.NUMERIC]);

const types: pg.CustomTypesConfig = {
  getTypeParser: (id, format) =>
    textAsNumber.has(id) ? Number : pg.types.getTypeParser(id, format ?? "text"),
};

/** Statements are prepared once in each session, under the same name in all of them. */
const names = new Map<string, string>();

function nameOf(sql: string): string {
  let name = names.get(sql);
  if (name === undefined) {
    name = `s${names.size}`;
    names.set(sql, name);
  }
  return name;
}

/** A transaction was to seal with a data key that does not seal any more; nothing of it happened. */
export class StaleKeyError extends StorageBusyError {}

export class Connection {
  readonly #client: pg.Client;
  readonly #onLost: (error: StorageSessionLostError) => void;
  #lost: StorageSessionLostError | undefined;
  #ending = false;
  /** Statements sent, and of these answered. */
  #asked = 0;
  #answered = 0;
  #pid: number | undefined;

  private constructor(client: pg.Client, onLost: (error: StorageSessionLostError) => void) {
    this.#client = client;
    this.#onLost = onLost;
    client.on("error", (error) => this.#lose(error));
    client.on("end", () => this.#lose(new Error("the connection was closed")));
    client.on("notice", ({ code, message }) => {
      // A wait for the standby was cancelled: the commit reports success and may not have reached it.
      if (code === "01000") this.#lose(new Error(message));
    });
  }

  /**
   * Opens a session on the primary: where several hosts are given, on the first to answer that takes
   * writes. Rejects with `StorageSessionLostError` when there is none now.
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const addresses = addressesOf(options.url.reveal());
    const [only] = addresses;
    if (addresses.length === 1 && only) return Connection.#openAt(only, options);
    const opening = addresses.map((address) => Connection.#openPrimary(address, options));
    try {
      const first = await Promise.any(opening);
      for (const other of opening)
        void other.then(
          (one) => one !== first && one.destroy(),
          () => {},
        );
      return first;
    } catch (error) {
      const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
      // What one server refuses for good matters more than that another one is away.
      throw errors.find((one) => !(one instanceof StorageSessionLostError)) ?? errors[0];
    }
  }

  static async #openPrimary(address: string, options: ConnectionOptions): Promise<Connection> {
    const connection = await Connection.#openAt(address, options);
    const [server] = await connection.all<{ standby: boolean }>(
      "SELECT pg_is_in_recovery() AS standby",
    );
    if (!server?.standby) return connection;
    await connection.end();
    throw new StorageSessionLostError("the server is a standby, not the primary");
  }

  static async #openAt(address: string, options: ConnectionOptions): Promise<Connection> {
    const client = new pg.Client({
      connectionString: address,
      application_name: "bot",
      connectionTimeoutMillis: connectMsMax,
      keepAlive: true,
      types,
    });
    const connection = new Connection(client, options.onLost ?? (() => {}));
    try {
      await client.connect();
    } catch (error) {
      connection.destroy();
      throw translate(error, true);
    }
    const settings = Object.entries(options.settings).map(
      ([name, value]) => `SET ${name} = ${value}`,
    );
    options.watch?.(connection);
    await connection.#begin([`SET search_path = ${options.schema}`, ...settings]);
    return connection;
  }

  /** Sets the session up and asks for its number, in one round trip. */
  async #begin(settings: readonly string[]): Promise<void> {
    const sql = [...settings, "SELECT pg_backend_pid() AS pid"].join("; ");
    // The client gives a result for each of several statements, which its types do not say.
    const results = (await this.#guard(() =>
      this.#client.query(sql),
    )) as unknown as pg.QueryResult[];
    this.#pid = (results.at(-1)?.rows[0] as { pid: number } | undefined)?.pid;
  }

  /** Why the session is over; `undefined` while it is not. */
  get lost(): StorageSessionLostError | undefined {
    return this.#lost;
  }

  /** Whether it is used no more, by the server's doing or by ours. */
  get over(): boolean {
    return this.#ending || this.#lost !== undefined;
  }

  /** The server's number of this session; `undefined` until it has said so. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Which statement waits for its answer; `undefined` when none does. */
  get unanswered(): number | undefined {
    return this.#asked > this.#answered ? this.#answered : undefined;
  }

  /** Takes it that no answer comes any more. */
  giveUp(reason: string): void {
    this.#lose(new Error(reason));
  }

  async all<Row>(sql: string, values: readonly Value[] = []): Promise<Row[]> {
    return (await this.#query(sql, values)).rows as Row[];
  }

  /** @returns the number of rows changed. */
  async run(sql: string, values: readonly Value[] = []): Promise<number> {
    return (await this.#query(sql, values)).rowCount ?? 0;
  }

  /** Runs statements without parameters, one after the other. */
  async exec(sql: string): Promise<void> {
    await this.#guard(() => this.#client.query(sql));
  }

  /** Calls `hear` with what a transaction of this schema has said by `pg_notify`. */
  async listen(hear: (said: string) => void): Promise<void> {
    this.#client.on("notification", ({ payload = "" }) => hear(payload));
    await this.exec("DO $$ BEGIN EXECUTE format('LISTEN %I', current_schema()); END $$");
  }

  /**
   * Runs `work` in a transaction. What it rejects with, this rejects with, and nothing is kept.
   *
   * @param first A statement that comes with the beginning, in the same round trip. Default: none.
   */
  async transaction<T>(work: () => Promise<T>, first = ""): Promise<T> {
    let result: T;
    try {
      await this.exec(`BEGIN; ${first}`);
      result = await work();
    } catch (error) {
      if (!this.#lost) await this.exec("ROLLBACK");
      throw error;
    }
    const { command } = await this.#guard(() => this.#client.query("COMMIT"));
    // PostgreSQL answers so, without an error, when a statement failed that nothing waited for.
    if (command !== "COMMIT") throw new Error("a statement of the transaction failed unnoticed");
    return result;
  }

  /** Ends the session in good order. Never rejects. */
  async end(): Promise<void> {
    this.#ending = true;
    await this.#client.end().catch(() => {});
  }

  /** Cuts the connection, as a kill does. */
  destroy(): void {
    this.#ending = true;
    const { stream } = (this.#client as unknown as { connection: { stream: { destroy(): void } } })
      .connection;
    stream.destroy();
  }

  #query(sql: string, values: readonly Value[]): Promise<pg.QueryResult> {
    return this.#guard(() =>
      this.#client.query({ name: nameOf(sql), text: sql, values: values as unknown[] }),
    );
  }

  async #guard<T>(call: () => Promise<T>): Promise<T> {
    if (this.#lost) throw this.#lost;
    this.#asked++;
    try {
      const result = await call();
      // A notice may have come with the answer.
      if (this.#lost) throw this.#lost;
      return result;
    } catch (error) {
      const known = translate(error, false);
      if (known instanceof StorageSessionLostError) throw this.#lose(known);
      throw known;
    } finally {
      this.#answered++;
    }
  }

  #lose(cause: Error): StorageSessionLostError {
    if (this.#lost) return this.#lost;
    const error =
      cause instanceof StorageSessionLostError
        ? cause
        : new StorageSessionLostError(`the session is over: ${cause.message}`, { cause });
    this.#lost = error;
    if (!this.#ending) {
      this.destroy();
      this.#onLost(error);
    }
    return error;
  }
}

/** Codes and classes of codes. Source: postgresql.org/docs/current/errcodes-appendix.html. */
const busyCodes = ["40001", "40P01", "55P03", "57014"];
const lostCodes = ["57P", "08", "53300", "25006", "25P03", "58", "BT001"];
/** Of our own: the message is the mark of the move (storage/move/). */
const movedCode = "BT002";
/** Of our own: `seals_1` refuses a data key. */
const staleKeyCode = "BT003";
/** A statement that this session has prepared is not there, or one that it has not is: it is another's. */
const sharedCodes = ["26000", "42P05"];
const refusedCodes = ["28", "3D000", "3F000", "42501"];

function translate(error: unknown, connecting: boolean): unknown {
  if (!(error instanceof Error) || error instanceof BotError || error instanceof TypeError)
    return error;
  const code = "code" in error ? String(error.code) : "";
  const what = `PostgreSQL ${code}: ${error.message}`;
  const options = { cause: error };
  const isOf = (codes: readonly string[]) => codes.some((one) => code.startsWith(one));
  if (code === movedCode)
    return movedError(JSON.parse(error.message) as MovedMark, "this database");
  if (code === staleKeyCode) return new StaleKeyError(what, options);
  if (isOf(busyCodes)) return new StorageBusyError(what, options);
  if (isOf(sharedCodes)) return sharedSession({ cause: error });
  if (code.startsWith("531")) {
    return new StorageFullError(what, { ...options, hint: "Free space on the database's disk." });
  }
  if (code.startsWith("XX00") && code !== "XX000") {
    return new StorageCorruptError(what, { ...options, hint: "Restore the database." });
  }
  if (isOf(refusedCodes)) {
    return new DatabaseUnsuitableError(what, {
      ...options,
      hint: "Check user, password and database in DATABASE_URL, and the user's right to create there.",
    });
  }
  const fromServer = error instanceof pg.DatabaseError;
  if (isOf(lostCodes) || !fromServer) {
    // Without a code of PostgreSQL it is the network's, or the client's own word about it.
    return new StorageSessionLostError(connecting ? `no connection: ${what}` : what, options);
  }
  return error;
}

/** Something between us and PostgreSQL gives one session to several clients. */
export function sharedSession(options: ErrorOptions = {}): DatabaseUnsuitableError {
  return new DatabaseUnsuitableError(
    "the database does not keep sessions: a pooler in transaction mode is in between",
    {
      ...options,
      hint: "Give DATABASE_URL the direct address of PostgreSQL, or one of the pooler in session mode.",
    },
  );
}
