/**
 * Acts: the book of what administrators did: who, when, to whom, and why. Nothing in it changes.
 *
 * An act is written in the transaction in which it is done, so there is none without its entry. What it
 * moves in the ledger names it as `act:<id>`.
 */
import type { Sealer, Sql, TableSet, Transaction } from "../../core/transaction.ts";

export type ActKind =
  | "answer"
  | "block"
  | "broadcast"
  | "broadcast-cancel"
  | "broadcast-pause"
  | "broadcast-resume"
  | "close-ticket"
  | "codes"
  | "credit"
  | "debit"
  | "hide"
  | "order-done"
  | "order-refused"
  | "pause"
  | "picture"
  | "price"
  | "requeue"
  | "reset"
  | "resume"
  | "show"
  | "stock"
  | "tell-buyer"
  | "unblock";

export interface Act {
  readonly adminId: number;
  readonly kind: ActKind;
  /** The person it concerns. */
  readonly userId?: number;
  /** The object of the act, such as `order:12` or `product:mug`; without people's words. */
  readonly subject?: string;
  /** Why, in the administrator's words. Encrypted at rest. */
  readonly reason?: string;
}

export interface ActTables {
  /** @returns the id of the new entry. */
  addAct(act: Act, atEpochMs: number): Promise<number>;
  /** Returns what was done to a person, newest first. */
  actsOn(userId: number, limit: number): Promise<readonly KeptAct[]>;
}

export interface KeptAct extends Act {
  readonly id: number;
  readonly atEpochMs: number;
}

/** Writes an act down. @returns its id. */
export async function noteAct(tx: Transaction, act: Act): Promise<number> {
  await tx.lock("acts");
  return tx.tables(actTables).addAct(act, tx.nowEpochMs);
}

export function actsOn(tx: Transaction, userId: number, limit: number) {
  return tx.tables(actTables).actsOn(userId, limit);
}

const placeOf = (id: number) => `acts|reason|${id}`;

export const actTables: TableSet<ActTables> = {
  name: "shop-acts",
  migrations: [
    {
      sql: `
      CREATE TABLE acts (
        id INTEGER PRIMARY KEY,
        admin_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        user_id INTEGER,
        subject TEXT,
        reason BLOB,
        at INTEGER NOT NULL
      );
      CREATE INDEX acts_on_user ON acts (user_id, id) WHERE user_id IS NOT NULL;
      -- A key rotation seals the reason again.
      CREATE TRIGGER acts_stay BEFORE UPDATE OF id, admin_id, kind, user_id, subject, at ON acts
        BEGIN SELECT RAISE(ABORT, 'acts stay as they are'); END;
      CREATE TRIGGER acts_are_kept BEFORE DELETE ON acts
        BEGIN SELECT RAISE(ABORT, 'acts are kept'); END;
      `,
      postgres: `
      CREATE TABLE acts (
        id BIGINT PRIMARY KEY,
        admin_id BIGINT NOT NULL,
        kind TEXT NOT NULL,
        user_id BIGINT,
        subject TEXT,
        reason BYTEA,
        at BIGINT NOT NULL
      );
      CREATE INDEX acts_on_user ON acts (user_id, id) WHERE user_id IS NOT NULL;
      CREATE FUNCTION acts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'acts stay as they are'; END $$;
      -- A key rotation seals the reason again.
      CREATE TRIGGER acts_stay BEFORE UPDATE OF id, admin_id, kind, user_id, subject, at ON acts
        FOR EACH STATEMENT EXECUTE FUNCTION acts_stay();
      CREATE FUNCTION acts_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'acts are kept'; END $$;
      CREATE TRIGGER acts_are_kept BEFORE DELETE ON acts
        FOR EACH STATEMENT EXECUTE FUNCTION acts_are_kept();
      `,
    },
  ],
  sealedColumns: [
    { table: "acts", column: "reason", key: ["id"], place: ([id]) => placeOf(Number(id)) },
  ],
  open: openActTables,
};

interface ActRow {
  readonly id: number;
  readonly admin_id: number;
  readonly kind: ActKind;
  readonly user_id: number | null;
  readonly subject: string | null;
  readonly reason: Uint8Array | null;
  readonly at: number;
}

function openActTables(database: Sql, sealer: Sealer): ActTables {
  const last = database.prepare("SELECT max(id) AS id FROM acts");
  const insert = database.prepare(
    `INSERT INTO acts (id, admin_id, kind, user_id, subject, reason, at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const list = database.prepare("SELECT * FROM acts WHERE user_id = ? ORDER BY id DESC LIMIT ?");
  return {
    addAct: async ({ adminId, kind, reason, subject, userId }, atEpochMs) => {
      const id = ((await last.get<{ id: number | null }>())?.id ?? 0) + 1;
      const sealed = reason === undefined ? null : sealer.seal(reason, placeOf(id));
      await insert.run(id, adminId, kind, userId ?? null, subject ?? null, sealed, atEpochMs);
      return id;
    },
    actsOn: async (userId, limit) =>
      (await list.all<ActRow>(userId, limit)).map((row) => ({
        id: row.id,
        adminId: row.admin_id,
        kind: row.kind,
        userId,
        atEpochMs: row.at,
        ...(row.subject !== null && { subject: row.subject }),
        ...(row.reason !== null && { reason: sealer.open(row.reason, placeOf(row.id)) }),
      })),
  };
}
