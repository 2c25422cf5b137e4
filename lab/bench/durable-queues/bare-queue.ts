/**
 * Bare queue: the statements of a turn and nothing around them, the limit line of this bench.
 *
 * It keeps order by lane, and refuses what it has seen. There are no seals, retries, dead letters, takeovers,
 * deadlines or priorities, so it is a yardstick for a store that has them.
 */
import pg from "pg";
import { pause } from "../../drill/bot-process.ts";
import {
  type DurableQueue,
  type OpenQueue,
  type QueueSetup,
  repliesPerUpdate,
  texts,
  type Update,
} from "./durable-queue.ts";

const often = "autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0";

const schemaSql = `
  CREATE TABLE processes (number int PRIMARY KEY, turns bigint NOT NULL) WITH (fillfactor = 50);
  CREATE TABLE seen (key text PRIMARY KEY);
  CREATE TABLE lanes (
    pool text, lane text, head bigint, owner int, PRIMARY KEY (pool, lane)
  ) WITH (fillfactor = 60, ${often});
  CREATE INDEX lanes_ready ON lanes (pool, head) WHERE head IS NOT NULL AND owner IS NULL;
  CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pool text NOT NULL, lane text NOT NULL,
    content bytea NOT NULL, owner int, claims int NOT NULL DEFAULT 0
  ) WITH (fillfactor = 80, ${often});
  CREATE INDEX messages_of_lane ON messages (pool, lane, id);

  CREATE FUNCTION turn(
    _me int, _turns bigint, _done bigint[], _pools text[], _lanes text[], _contents bytea[], _keys text[],
    _updates int, _replies int
  ) RETURNS SETOF messages LANGUAGE plpgsql AS $$
  #variable_conflict use_column
  DECLARE _touched text[]; _names text[];
  BEGIN
    UPDATE processes SET turns = _turns WHERE number = _me;
    IF cardinality(_done) + cardinality(_pools) > 0 THEN
      PERFORM FROM messages m WHERE m.id = ANY (_done) AND m.owner = _me ORDER BY m.id FOR UPDATE;
      INSERT INTO seen SELECT k FROM unnest(_keys) k ORDER BY k;
      -- All lanes of the turn are locked in one order, and ids are drawn under these locks.
      WITH t AS (
        SELECT m.pool, m.lane FROM messages m WHERE m.id = ANY (_done)
        UNION SELECT * FROM unnest(_pools, _lanes)),
      u AS (
        INSERT INTO lanes AS l (pool, lane) SELECT t.pool, t.lane FROM t ORDER BY 1, 2
        ON CONFLICT (pool, lane) DO UPDATE SET head = l.head RETURNING pool, lane)
      SELECT array_agg(u.pool), array_agg(u.lane) INTO _touched, _names FROM u;
      INSERT INTO messages (pool, lane, content) SELECT * FROM unnest(_pools, _lanes, _contents);
      DELETE FROM messages m WHERE m.id = ANY (_done);
      UPDATE lanes l SET head = n.id, owner = CASE WHEN n.id = l.head THEN l.owner END
        FROM unnest(_touched, _names) t(pool, lane) LEFT JOIN LATERAL (
          SELECT m.id FROM messages m WHERE m.pool = t.pool AND m.lane = t.lane ORDER BY m.id LIMIT 1) n ON true
        WHERE l.pool = t.pool AND l.lane = t.lane;
    END IF;
    RETURN QUERY WITH r AS (
        SELECT w.pool, h.lane FROM (VALUES ('updates', _updates), ('replies', _replies)) w(pool, want)
        CROSS JOIN LATERAL (
          SELECT l.lane FROM lanes l WHERE l.pool = w.pool AND l.head IS NOT NULL AND l.owner IS NULL
          ORDER BY l.head LIMIT w.want FOR NO KEY UPDATE SKIP LOCKED) h),
      t AS (UPDATE lanes l SET owner = _me FROM r WHERE l.pool = r.pool AND l.lane = r.lane RETURNING l.head)
      UPDATE messages m SET owner = _me, claims = m.claims + 1 FROM t WHERE m.id = t.head RETURNING m.*;
  END $$`;

const turnSql = "SELECT id, pool, lane, content FROM turn($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/** Pause before the next look for what another process has queued. */
const lookEveryMs = 20;

interface Row {
  readonly id: string;
  readonly pool: "updates" | "replies";
  readonly lane: string;
  readonly content: Buffer;
}

interface Fresh {
  readonly pool: Row["pool"];
  readonly lane: string;
  readonly content: Buffer;
  readonly key?: string;
}

export const openBare: OpenQueue = async (setup) => {
  const client = new pg.Client({ connectionString: setup.url });
  client.on("error", setup.fail);
  await client.connect();
  if (setup.process === 0) await client.query(schemaSql);
  await client.query("INSERT INTO processes VALUES ($1, 0)", [setup.process]);
  return new BareQueue(client, setup);
};

class BareQueue implements DurableQueue {
  readonly #client: pg.Client;
  readonly #setup: QueueSetup;
  readonly #loop: Promise<void>;
  readonly #inHand = { updates: 0, replies: 0 };
  #done: string[] = [];
  #fresh: Fresh[] = [];
  #waiting: (() => void)[] = [];
  #turns = 0;
  #received = 0;
  #stopped = false;
  #wake: () => void = () => {};

  constructor(client: pg.Client, setup: QueueSetup) {
    this.#client = client;
    this.#setup = setup;
    this.#loop = this.#run().catch(setup.fail);
  }

  async add(updates: readonly Update[]): Promise<void> {
    for (const update of updates) {
      const key = `update:${this.#received++}`;
      this.#fresh.push({ ...freshOf("updates", `chat:${update.chat}`, update, texts.update), key });
    }
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#wake();
    });
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#loop;
    await this.#client.end();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const claimed = await this.#turn();
      if (claimed > 0 || this.#done.length + this.#fresh.length > 0) continue;
      await Promise.race([woken, pause(lookEveryMs)]);
    }
  }

  async #turn(): Promise<number> {
    const { concurrency, process: number } = this.#setup;
    const [done, fresh, waiting] = [this.#done, this.#fresh, this.#waiting];
    this.#done = [];
    this.#fresh = [];
    this.#waiting = [];
    const replies = number === 0 ? concurrency * repliesPerUpdate - this.#inHand.replies : 0;
    const { rows } = await this.#client.query<Row>({
      name: "turn",
      text: turnSql,
      values: [
        ...[number, ++this.#turns, done],
        ...[fresh.map(({ pool }) => pool), fresh.map(({ lane }) => lane)],
        ...[fresh.map(({ content }) => content), fresh.flatMap(({ key }) => key ?? [])],
        ...[concurrency - this.#inHand.updates, replies],
      ],
    });
    for (const resolve of waiting) resolve();
    for (const row of rows) {
      this.#inHand[row.pool]++;
      setImmediate(() => this.#work(row));
    }
    return rows.length;
  }

  #work({ content, id, lane, pool }: Row): void {
    const update = JSON.parse(content.toString()) as Update;
    if (pool === "replies") this.#setup.send(update);
    else this.#fresh.push(freshOf("replies", lane, update, texts.reply));
    this.#inHand[pool]--;
    this.#done.push(id);
    this.#wake();
  }
}

function freshOf(
  pool: Row["pool"],
  lane: string,
  { atMs, chat, number }: Update,
  text: string,
): Fresh {
  return { pool, lane, content: Buffer.from(JSON.stringify({ atMs, chat, number, text })) };
}
