/** Ticket tables: what people write to the shop, and what it answers. */

import type { Sealer, Sql, TableSet, Transaction } from "../../core/transaction.ts";
import type { Language } from "../catalogue.ts";

export interface Ticket {
  readonly id: number;
  readonly userId: number;
  readonly open: boolean;
  /** In which its person wrote, for those of whom nothing else is known. */
  readonly language: Language;
}

export interface TicketWords {
  readonly ticketId: number;
  /** The administrator who answered; `undefined` when the person wrote it. */
  readonly adminId: number | undefined;
  /** Encrypted at rest, and deleted by /forget. */
  readonly words: string;
  readonly atEpochMs: number;
}

export interface TicketTables {
  /** A person has one open ticket at most: the table refuses a second one. */
  openTicket(userId: number, language: Language, atEpochMs: number): Promise<Ticket>;
  openTicketOf(userId: number): Promise<Ticket | undefined>;
  findTicket(ticketId: number): Promise<Ticket | undefined>;
  /** @returns false when it was closed before. */
  closeTicket(ticketId: number, atEpochMs: number): Promise<boolean>;
  addWords(words: TicketWords): Promise<void>;
  /** Returns what was said in a person's tickets, newest first. */
  wordsWith(userId: number, limit: number): Promise<readonly TicketWords[]>;
  /** Deletes what was said in a person's tickets. @returns how much there was. */
  deleteWordsWith(userId: number): Promise<number>;
}

export function ticketsOf(tx: Transaction): TicketTables {
  return tx.tables(ticketTables);
}

/** Lets no other transaction open a ticket of this person until this one ends. */
export function lockTicketsOf(tx: Transaction, userId: number): Promise<void> {
  return tx.lock(`tickets:${userId}`);
}

/** Adds words to a ticket. */
export async function addWords(tx: Transaction, words: TicketWords): Promise<void> {
  await tx.lock("ticket-words");
  await ticketsOf(tx).addWords(words);
}

const placeOf = (id: number) => `ticket_words|words|${id}`;

export const ticketTables: TableSet<TicketTables> = {
  name: "shop-tickets",
  migrations: [
    {
      sql: `
      CREATE TABLE tickets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER NOT NULL,
        language TEXT NOT NULL,
        opened_at INTEGER NOT NULL,
        closed_at INTEGER
      );
      CREATE UNIQUE INDEX tickets_open ON tickets (user_id) WHERE closed_at IS NULL;
      CREATE INDEX tickets_of_user ON tickets (user_id, id);
      CREATE TABLE ticket_words (
        id INTEGER PRIMARY KEY,
        ticket_id INTEGER NOT NULL REFERENCES tickets (id),
        admin_id INTEGER,
        words BLOB NOT NULL,
        at INTEGER NOT NULL
      );
      CREATE INDEX words_of_ticket ON ticket_words (ticket_id, id);
      `,
    },
  ],
  sealedColumns: [
    { table: "ticket_words", column: "words", key: ["id"], place: ([id]) => placeOf(Number(id)) },
  ],
  open: openTicketTables,
};

interface TicketRow {
  readonly id: number;
  readonly user_id: number;
  readonly language: Language;
  readonly closed_at: number | null;
}

interface WordsRow {
  readonly id: number;
  readonly ticket_id: number;
  readonly admin_id: number | null;
  readonly words: Uint8Array;
  readonly at: number;
}

function openTicketTables(database: Sql, sealer: Sealer): TicketTables {
  const sql = prepare(database);
  const toTicket = (row: TicketRow | undefined) =>
    row && {
      id: row.id,
      userId: row.user_id,
      language: row.language,
      open: row.closed_at === null,
    };
  return {
    openTicket: async (userId, language, atEpochMs) => ({
      id: await sql.insert.insert(userId, language, atEpochMs),
      userId,
      language,
      open: true,
    }),
    openTicketOf: async (userId) => toTicket(await sql.openOf.get<TicketRow>(userId)),
    findTicket: async (ticketId) => toTicket(await sql.find.get<TicketRow>(ticketId)),
    closeTicket: async (ticketId, atEpochMs) => (await sql.close.run(atEpochMs, ticketId)) > 0,
    addWords: async ({ adminId, atEpochMs, ticketId, words }) => {
      const id = ((await sql.lastWords.get<{ id: number | null }>())?.id ?? 0) + 1;
      await sql.addWords.run(
        id,
        ticketId,
        adminId ?? null,
        sealer.seal(words, placeOf(id)),
        atEpochMs,
      );
    },
    wordsWith: async (userId, limit) =>
      (await sql.wordsWith.all<WordsRow>(userId, limit)).map((row) => ({
        ticketId: row.ticket_id,
        adminId: row.admin_id ?? undefined,
        words: sealer.open(row.words, placeOf(row.id)),
        atEpochMs: row.at,
      })),
    deleteWordsWith: async (userId) => sql.deleteWords.run(userId),
  };
}

function prepare(database: Sql) {
  const sql = (text: string) => database.prepare(text);
  const ofUser = "ticket_id IN (SELECT id FROM tickets WHERE user_id = ?)";
  return {
    insert: sql("INSERT INTO tickets (user_id, language, opened_at) VALUES (?, ?, ?)"),
    openOf: sql("SELECT * FROM tickets WHERE user_id = ? AND closed_at IS NULL"),
    find: sql("SELECT * FROM tickets WHERE id = ?"),
    close: sql("UPDATE tickets SET closed_at = ? WHERE id = ? AND closed_at IS NULL"),
    lastWords: sql("SELECT max(id) AS id FROM ticket_words"),
    addWords: sql(
      "INSERT INTO ticket_words (id, ticket_id, admin_id, words, at) VALUES (?, ?, ?, ?, ?)",
    ),
    wordsWith: sql(`SELECT * FROM ticket_words WHERE ${ofUser} ORDER BY id DESC LIMIT ?`),
    deleteWords: sql(`DELETE FROM ticket_words WHERE ${ofUser}`),
  };
}
