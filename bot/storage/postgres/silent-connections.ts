/**
 * Silent connections: gives up those from which no answer comes any more.
 *
 * A link can fall silent without being closed, and then neither side hears of it: the server may have ended
 * the session, or its answer was lost. Only the server knows whether it still works on the statement. If it
 * does, that is waited for, such as a commit whose standby is away.
 */
import type { Clock } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import { Loop } from "../../core/loop.ts";
import type { Connection } from "./connection.ts";

export interface SilentConnectionsDeps {
  readonly clock: Clock;
  /** Milliseconds without an answer after which the server is asked. */
  readonly silentMs: number;
  /** Opens a connection for the question. */
  readonly connect: () => Promise<Connection>;
}

const lookEveryMs = 1_000;
const askMsMax = 5_000;
const activeSql = "SELECT pid FROM pg_stat_activity WHERE state = 'active'";

export class SilentConnections {
  readonly #deps: SilentConnectionsDeps;
  readonly #loop: Loop;
  /** The statement each waited for at the last look, and since when. */
  readonly #watched = new Map<Connection, { statement: number | undefined; sinceMs: number }>();

  constructor(deps: SilentConnectionsDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(lookEveryMs)) await this.#look(loop.signal);
    });
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  watch(connection: Connection): void {
    const { clock } = this.#deps;
    this.#watched.set(connection, { statement: undefined, sinceMs: clock.monotonicMs() });
  }

  async #look(signal: AbortSignal): Promise<void> {
    const silent = this.#findSilent();
    if (silent.length === 0) return;
    const active = await withDeadline(
      this.#deps.clock,
      askMsMax,
      (over) => this.#ask(over.signal),
      {
        late: () => undefined,
        signal,
      },
    ).catch(() => undefined);
    // Without an answer nobody knows; the database may be away, and what it works on with it.
    if (!active) return;
    for (const connection of silent) {
      const { pid, unanswered } = connection;
      const same = unanswered === this.#watched.get(connection)?.statement;
      if (!same || (pid !== undefined && active.has(pid))) continue;
      connection.giveUp("an answer is missing, and the server does not work on it any more");
    }
  }

  #findSilent(): readonly Connection[] {
    const { clock, silentMs } = this.#deps;
    const nowMs = clock.monotonicMs();
    const silent: Connection[] = [];
    for (const [connection, { sinceMs, statement }] of this.#watched) {
      const { over, unanswered } = connection;
      if (over) this.#watched.delete(connection);
      else if (unanswered === undefined || unanswered !== statement) {
        this.#watched.set(connection, { statement: unanswered, sinceMs: nowMs });
      } else if (nowMs - sinceMs >= silentMs) silent.push(connection);
    }
    return silent;
  }

  /** The server's numbers of the sessions that it works for. */
  async #ask(over: AbortSignal): Promise<ReadonlySet<number>> {
    const connection = await this.#deps.connect();
    const destroy = () => connection.destroy();
    if (over.aborted) destroy();
    over.addEventListener("abort", destroy, { once: true });
    const rows = await connection.all<{ pid: number }>(activeSql);
    await connection.end();
    return new Set(rows.map(({ pid }) => pid));
  }
}
