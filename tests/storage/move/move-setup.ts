/** Move setup: a bot's data on either engine, made by the real stores, and what is there afterwards. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import type { EncryptionKeys } from "../../../bot/core/encryption-keys.ts";
import { recordError } from "../../../bot/core/errors.ts";
import type { Message } from "../../../bot/core/message.ts";
import { Secret } from "../../../bot/core/secret.ts";
import type { Store } from "../../../bot/core/store.ts";
import type { TableSet } from "../../../bot/core/transaction.ts";
import { openAccount } from "../../../bot/shop/accounts.ts";
import { noteAct } from "../../../bot/shop/admin/acts.ts";
import { campaignsOf } from "../../../bot/shop/campaigns/campaign-tables.ts";
import { shop } from "../../../bot/shop/module.ts";
import { annotateOrder, buy } from "../../../bot/shop/orders.ts";
import { shopOf } from "../../../bot/shop/sqlite-tables.ts";
import { creditPayment } from "../../../bot/shop/stars/topups.ts";
import { setStock } from "../../../bot/shop/stock/offers.ts";
import { stockOf } from "../../../bot/shop/stock/stock-tables.ts";
import { addWords, ticketsOf } from "../../../bot/shop/support/ticket-tables.ts";
import type { End } from "../../../bot/storage/move/content.ts";
import { moveData } from "../../../bot/storage/move/move-data.ts";
import { PostgresEnd } from "../../../bot/storage/move/postgres-end.ts";
import { SqliteEnd } from "../../../bot/storage/move/sqlite-end.ts";
import { SqliteStore } from "../../../bot/storage/sqlite/sqlite-store.ts";
import { SimulatedDisk } from "../../../lab/simulation/simulated-disk.ts";
import {
  exampleCatalogue,
  rules,
  starOptions,
  welcomeBalanceMinor,
} from "../../shop/shop-setup.ts";
import { keysOf } from "../../support/encryption-keys.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { byHand, freshSchema, postgresUrl } from "../../support/postgres.ts";
import { createPostgresStore, untilFree } from "../../support/postgres-store.ts";
import { claim, ref, update } from "../store-conformance.ts";

const minuteMs = 60_000;

/** A directory, a schema and a clock; both are gone after the test. */
export class Places {
  readonly clock = new ManualClock();
  readonly directory = mkdtempSync(join(tmpdir(), "move-"));
  readonly schema = freshSchema();
  readonly path = join(this.directory, "bot.db");
  keys: EncryptionKeys = keysOf("key");
  tableSets: readonly TableSet<object>[] = shop.tables ?? [];
  #moves = 0;

  constructor() {
    onTestFinished(async () => {
      rmSync(this.directory, { recursive: true, force: true });
      const made = await byHand<{ nspname: string }>(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)",
        [this.schema],
      );
      for (const { nspname } of made) await byHand(`DROP SCHEMA ${nspname} CASCADE`);
    });
  }

  /** Opens a store on the file. `kill` ends it as `kill -9` does. */
  async sqliteStore(): Promise<{ readonly store: SqliteStore; readonly kill: () => void }> {
    const disk = new SimulatedDisk(() => undefined);
    const store = new SqliteStore({
      ...this,
      publish: () => {},
      onFatal: (error) => {
        throw error;
      },
      ...{ backupsKept: 3, dedupeKeepMs: minuteMs, laneLengthMax: 100, openDatabase: disk.open },
      keys: { ...this.keys, create: () => this.keys.find() as Secret },
    });
    await store.open();
    onTestFinished(async () => {
      if (!disk.dead) await store.close();
    });
    return { store, kill: () => disk.kill() };
  }

  async postgresStore(name = "one") {
    const { clock, schema } = this;
    const store = await createPostgresStore({ clock, name, schema, laneLengthMax: 100 });
    await store.open();
    return store;
  }

  async ends(): Promise<{ readonly sqlite: End; readonly postgres: End }> {
    const url = new Secret(await postgresUrl());
    const nowEpochMs = this.clock.epochMs();
    return {
      sqlite: new SqliteEnd(this),
      postgres: new PostgresEnd({ ...this, nowEpochMs, url }),
    };
  }

  async move(to: "postgres" | "sqlite", change: (ends: { from: End; to: End }) => void = () => {}) {
    const { postgres, sqlite } = await this.ends();
    const ends =
      to === "postgres" ? { from: sqlite, to: postgres } : { from: postgres, to: sqlite };
    change(ends);
    const id = `move ${++this.#moves}`;
    return moveData({ ...this, ...ends, id, nowEpochMs: this.clock.epochMs() });
  }

  async killed(store: { kill(): Promise<void> }): Promise<void> {
    await store.kill();
    await untilFree(this.schema);
  }
}

/** Does with a store whatever leaves something behind. */
export async function fill(store: Store, clock: ManualClock): Promise<void> {
  await fillShop(store);
  await fillQueue(store, clock);
}

async function fillShop(store: Store): Promise<void> {
  const [product] = exampleCatalogue.products;
  const { priceMinor, sku } = product as NonNullable<typeof product>;
  for (const userId of [1, 2, 3]) {
    await store.transaction(async (tx) => {
      await openAccount(tx, userId, welcomeBalanceMinor);
      await shopOf(tx).setProfile(userId, { firstName: "Ann 名", username: `name${userId}` });
    });
    const wish = { userId, sku, priceMinor, idempotencyKey: `wish ${userId}` };
    await store.transaction((tx) => buy(tx, rules, wish));
  }
  await store.transaction(async (tx) => {
    await annotateOrder(tx, rules, 1, 1, "leave it at the door");
    const payment = { chargeId: "stx", userId: 1, currency: "XTR", total: 50, payload: "?" };
    await creditPayment(tx, { ...starOptions, welcomeBalanceMinor }, payment);
    await setStock(tx, product as NonNullable<typeof product>, 7);
    await stockOf(tx).addCode(sku, "secret code", 1);
    const { id } = await ticketsOf(tx).openTicket(2, "en", 5);
    await addWords(tx, { ticketId: id, adminId: undefined, words: "help", atEpochMs: 6 });
    await noteAct(tx, { adminId: 9, kind: "block", userId: 3, reason: "why" });
    const campaign = await campaignsOf(tx).addCampaign(9, { text: "hello" }, 5);
    await campaignsOf(tx).putAwaited(campaign, { userId: 2, aside: false });
    await tx.documents.put("notes", "a", { deep: [1, "2", null] });
    await tx.documents.put("notes", "short", 1, { keepMs: minuteMs });
  });
}

/** A message of the pool that sends. */
function send(lane: string, n: number) {
  return { ...update(lane, n), type: "send", pool: "sending" } as const;
}

async function fillQueue(store: Store, clock: ManualClock): Promise<void> {
  const now = clock.epochMs();
  const error = recordError(new Error("it failed"), now);
  await store.enqueue([
    { ...update("done", 1), dedupeKeys: ["update:1"], key: { name: "done", again: "refuse" } },
    { ...update("dead", 2), key: { name: "dead", again: "refuse" }, files: ["f".repeat(64)] },
  ]);
  const [done, dead] = await claim(store);
  await store.step(
    ref(dead),
    "kept",
    async () => ({ total: 5 }),
    () => [],
  );
  await store.finish(ref(done), {
    kind: "done",
    enqueue: [{ ...send("chat", 3), references: [{ id: -77, position: 0 }] }],
    unreachableChat: { chat: "13", reason: "blocked" },
  });
  await store.finish(ref(dead), { kind: "dead", reason: "attempts-exhausted", error, enqueue: [] });
  await store.enqueue([
    ...[
      send("chat", 4),
      send("parked", 5),
      send("parked", 6),
      update("skip", 7),
      update("skip", 8),
    ],
    { ...update("later", 9), availableAtEpochMs: now + 5_000, dedupeKeys: ["update:9"] },
    {
      ...update("later", 10, "high"),
      availableAtEpochMs: now + 3_600_000,
      key: { name: "reminder", again: "replace" },
    },
    { ...send("edits", 11), replaces: "text", floodScope: "5", floodCost: 2, ambiguous: "drop" },
    { ...update("expires", 12, "low"), expiresAtEpochMs: now + 9_000_000 },
  ]);
  const [parked] = await claim(store, { pool: "sending", admit: takeOnly("parked") });
  await store.finish(
    ref(parked),
    { kind: "postponed", availableAtEpochMs: now + 600_000, parkLane: true },
    { scope: "parked", cost: 1, atEpochMs: now },
  );
  const [skipped] = await claim(store, { admit: takeOnly("skip") });
  const availableAtEpochMs = now + 1_000;
  await store.finish(ref(skipped), { kind: "retry", availableAtEpochMs, error, onRetry: "skip" });
  await store.enqueue([update("hand", 13), update("hand", 14), update("twice", 15)]);
  const inHand = await claim(store, { admit: takeOnly("hand") });
  await store.step(
    ref(inHand[0]),
    "half",
    async () => "way",
    () => [],
  );
  await store.setFact("paused:sending", String(now));
  await store.recordSent({ scope: "7", cost: 3, atEpochMs: now });
}

const takeOnly = (lane: string) => (candidate: { readonly lane: string }) =>
  candidate.lane === lane ? "take" : { notBeforeEpochMs: 0 };

/** What the next processes work on, in which order, until nothing is left; and what else they find. */
export async function history(store: Store, clock: ManualClock): Promise<readonly unknown[]> {
  const released = () => ({ outcome: { kind: "released" } }) as const;
  const shown = (messages: readonly Message[]) =>
    messages.map(({ claims: _, ...message }) => message).sort((a, b) => a.id - b.id);
  const seen: unknown[] = [await store.snapshot(), shown(await store.recover(released))];
  seen.push(await store.waitingLanes(10), await store.delayedMessages({ limit: 10, offset: 0 }));
  seen.push(await store.deadLetters({ limit: 10, offset: 0 }), await store.sentSince(0));
  seen.push(await store.resolveReference(-77), await store.filesInUse());
  seen.push(await store.unreachableReason("13"), await store.getFact("paused:sending"));
  seen.push(await store.enqueue([{ ...update("a", 99), dedupeKeys: ["update:9"] }]));
  seen.push(await store.enqueue([{ ...update("a", 99), key: { name: "done", again: "refuse" } }]));
  seen.push(await store.enqueue([{ ...update("a", 99), key: { name: "dead", again: "refuse" } }]));
  for (let rounds = 0; rounds < 14; rounds++) {
    await clock.advance(rounds < 7 ? 300 : 600_000);
    // On PostgreSQL only who has committed lately may begin anything.
    await store.probe();
    for (const pool of ["handling", "sending"] as const) {
      const claimed = await claim(store, { pool, suspects: "with" });
      seen.push(shown(claimed));
      for (const message of claimed)
        await store.finish(ref(message), { kind: "done", enqueue: [] });
    }
  }
  seen.push(await store.snapshot());
  return seen;
}

type Dump = Readonly<Record<string, readonly unknown[]>>;

/** What differs between two files with the same data: which process had them when, and what they are. */
const ofTheFile = ["boots", "migrations", "table_set_migrations", "sqlite_sequence"];

/** All rows of the file, as they stand in it. */
export function dumpFile(path: string): Dump {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const names = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
      .all()
      .map(({ name }) => String(name))
      .filter((name) => !ofTheFile.includes(name));
    return Object.fromEntries(
      names.map((name) => {
        const rows = database.prepare(`SELECT * FROM "${name}" ORDER BY 1, 2`).all();
        const shown = rows.filter(({ ids, name: fact }) => {
          return ids !== "[]" && !String(fact).startsWith("storage.");
        });
        return [name, shown];
      }),
    );
  } finally {
    database.close();
  }
}
