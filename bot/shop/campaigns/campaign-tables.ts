/** Campaign tables: what is written to many people, how far it has come, and whom it waits for. */
import type { Sealer, Sql, TableSet, Transaction } from "../../core/transaction.ts";

/** Whom it is for. `active7`: who has joined or moved money within 7 days. */
export const segments = ["all", "zh", "en", "bought", "active7", "active30", "active90"] as const;

export type Segment = (typeof segments)[number];

/** The content to send: a text, or a copy of a message in an administrator's chat. */
export type Content =
  | { readonly text: string }
  | { readonly fromChatId: number; readonly messageId: number };

/**
 *   draft ──go──▶ running ◀──resume── paused        running ──everybody written to──▶ done
 *                    │  ──pause──▶      │
 *                    └─────cancel───────┴──▶ cancelled
 */
export type CampaignState = "draft" | "running" | "paused" | "cancelled" | "done";

/**
 * What became of a message: Telegram took it; its person has blocked the bot; the chat is gone in another
 * way; it was given up; or nothing tells whether it arrived, so that it is not repeated.
 */
export type Outcome = "sent" | "blocked" | "gone" | "failed" | "unclear";

export const outcomes: readonly Outcome[] = ["sent", "blocked", "gone", "failed", "unclear"];

export interface Campaign {
  readonly id: number;
  /** The administrator who drafted it. */
  readonly adminId: number;
  readonly content: Content;
  readonly createdAtEpochMs: number;
  readonly state: CampaignState;
  readonly segment: Segment;
  /** How many people the segment had when it was counted; when it is done, how many were written to. */
  readonly expected: number;
  readonly paid: boolean;
  /** Accounts that are younger are not written to. */
  readonly startedAtEpochMs: number | undefined;
  /** The last id that was looked at; people are taken by ascending id. */
  readonly position: number;
  /** Whether nobody comes after `position`. */
  readonly walked: boolean;
  /** Numbers the chain of tasks that works on it: a task of an earlier chain does nothing. */
  readonly chain: number;
  readonly counts: Readonly<Record<Outcome, number>>;
  /** The message that shows its progress. */
  readonly card: Card | undefined;
}

export interface Card {
  readonly chatId: number;
  readonly messageId: number;
  /** How often it was edited, and when last. */
  readonly edits: number;
  readonly editedAtEpochMs: number;
}

/** Somebody whose message was queued and whose outcome was not counted yet. */
export interface Awaited {
  readonly userId: number;
  /** Its message was taken out of the queue by a pause. */
  readonly aside: boolean;
}

export interface CampaignTables {
  /** @returns its id. */
  addCampaign(adminId: number, content: Content, atEpochMs: number): Promise<number>;
  findCampaign(id: number): Promise<Campaign | undefined>;
  /** Newest first. */
  campaigns(limit: number): Promise<readonly Campaign[]>;
  /** Stores everything that changes. */
  saveCampaign(campaign: Campaign): Promise<void>;
  /** By ascending id. */
  awaited(campaignId: number): Promise<readonly Awaited[]>;
  /** Adds somebody, or changes whether their message is set aside. */
  putAwaited(campaignId: number, awaited: Awaited): Promise<void>;
  removeAwaited(campaignId: number, userId: number): Promise<void>;
  /** Accounts by ascending id, of those that bought or moved money as the segment asks. */
  candidates(query: CandidateQuery): Promise<readonly number[]>;
}

export interface CandidateQuery {
  readonly afterUserId: number;
  /** Accounts and orders that are younger do not count. */
  readonly untilEpochMs: number;
  readonly limit: number;
  readonly bought?: boolean;
  /** The people who have joined or moved money since. */
  readonly activeSinceEpochMs?: number | undefined;
}

export function campaignsOf(tx: Transaction): CampaignTables {
  return tx.tables(campaignTables);
}

const placeOf = (id: number) => `campaigns|content|${id}`;

export const campaignTables: TableSet<CampaignTables> = {
  name: "shop-campaigns",
  migrations: [
    {
      sql: `
      CREATE TABLE campaigns (
        id INTEGER PRIMARY KEY,
        admin_id INTEGER NOT NULL,
        content BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        state TEXT NOT NULL,
        segment TEXT NOT NULL,
        expected INTEGER NOT NULL,
        paid INTEGER NOT NULL,
        started_at INTEGER,
        position INTEGER NOT NULL,
        walked INTEGER NOT NULL,
        chain INTEGER NOT NULL,
        counts TEXT NOT NULL,
        card TEXT
      );
      CREATE TABLE campaign_awaited (
        campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
        user_id INTEGER NOT NULL,
        aside INTEGER NOT NULL,
        PRIMARY KEY (campaign_id, user_id)
      ) WITHOUT ROWID;
      `,
    },
  ],
  sealedColumns: [
    { table: "campaigns", column: "content", key: ["id"], place: ([id]) => placeOf(Number(id)) },
  ],
  open: openCampaignTables,
};

interface CampaignRow {
  readonly id: number;
  readonly admin_id: number;
  readonly content: Uint8Array;
  readonly created_at: number;
  readonly state: CampaignState;
  readonly segment: Segment;
  readonly expected: number;
  readonly paid: number;
  readonly started_at: number | null;
  readonly position: number;
  readonly walked: number;
  readonly chain: number;
  readonly counts: string;
  readonly card: string | null;
}

const noCounts = JSON.stringify(Object.fromEntries(outcomes.map((outcome) => [outcome, 0])));

function openCampaignTables(database: Sql, sealer: Sealer): CampaignTables {
  const sql = prepare(database);
  const toCampaign = (row: CampaignRow): Campaign => ({
    id: row.id,
    adminId: row.admin_id,
    content: JSON.parse(sealer.open(row.content, placeOf(row.id))) as Content,
    createdAtEpochMs: row.created_at,
    state: row.state,
    segment: row.segment,
    expected: row.expected,
    paid: row.paid === 1,
    startedAtEpochMs: row.started_at ?? undefined,
    position: row.position,
    walked: row.walked === 1,
    chain: row.chain,
    counts: JSON.parse(row.counts) as Campaign["counts"],
    card: row.card === null ? undefined : (JSON.parse(row.card) as Card),
  });
  return {
    addCampaign: async (adminId, content, atEpochMs) => {
      const id = ((await sql.last.get<{ id: number | null }>())?.id ?? 0) + 1;
      const sealed = sealer.seal(JSON.stringify(content), placeOf(id));
      await sql.insert.run(id, adminId, sealed, atEpochMs, noCounts);
      return id;
    },
    findCampaign: async (id) => {
      const row = await sql.find.get<CampaignRow>(id);
      return row && toCampaign(row);
    },
    campaigns: async (limit) => (await sql.list.all<CampaignRow>(limit)).map(toCampaign),
    saveCampaign: async (campaign) => {
      const { card, chain, counts, expected, paid, position, segment, state, walked } = campaign;
      await sql.save.run(
        ...[state, segment, expected, Number(paid), campaign.startedAtEpochMs ?? null, position],
        ...[Number(walked), chain, JSON.stringify(counts), card ? JSON.stringify(card) : null],
        campaign.id,
      );
    },
    awaited: async (campaignId) => {
      const rows = await sql.awaited.all<{ user_id: number; aside: number }>(campaignId);
      return rows.map((row) => ({ userId: row.user_id, aside: row.aside === 1 }));
    },
    putAwaited: async (campaignId, { aside, userId }) => {
      await sql.put.run(campaignId, userId, Number(aside));
    },
    removeAwaited: async (campaignId, userId) => {
      await sql.remove.run(campaignId, userId);
    },
    candidates: async ({ activeSinceEpochMs, afterUserId, bought, limit, untilEpochMs }) => {
      const rows = await (bought
        ? sql.bought.all<{ user_id: number }>(afterUserId, untilEpochMs, untilEpochMs, limit)
        : activeSinceEpochMs === undefined
          ? sql.all.all<{ user_id: number }>(afterUserId, untilEpochMs, limit)
          : sql.active.all<{ user_id: number }>(
              ...[afterUserId, untilEpochMs, activeSinceEpochMs],
              ...[activeSinceEpochMs, untilEpochMs, limit],
            ));
      return rows.map((row) => row.user_id);
    },
  };
}

function prepare(database: Sql) {
  const sql = (text: string) => database.prepare(text);
  const people = (condition = "TRUE") =>
    sql(
      `SELECT user_id FROM accounts AS a WHERE a.user_id > ? AND a.created_at <= ? AND ${condition}
       ORDER BY a.user_id LIMIT ?`,
    );
  return {
    last: sql("SELECT max(id) AS id FROM campaigns"),
    insert: sql(
      `INSERT INTO campaigns
         (id, admin_id, content, created_at, state, segment, expected, paid, position, walked, chain, counts)
       VALUES (?, ?, ?, ?, 'draft', 'all', 0, 0, 0, 0, 0, ?)`,
    ),
    find: sql("SELECT * FROM campaigns WHERE id = ?"),
    list: sql("SELECT * FROM campaigns ORDER BY id DESC LIMIT ?"),
    save: sql(
      `UPDATE campaigns SET state = ?, segment = ?, expected = ?, paid = ?, started_at = ?,
         position = ?, walked = ?, chain = ?, counts = ?, card = ? WHERE id = ?`,
    ),
    awaited: sql(
      "SELECT user_id, aside FROM campaign_awaited WHERE campaign_id = ? ORDER BY user_id",
    ),
    put: sql(
      `INSERT INTO campaign_awaited (campaign_id, user_id, aside) VALUES (?, ?, ?)
       ON CONFLICT (campaign_id, user_id) DO UPDATE SET aside = excluded.aside`,
    ),
    remove: sql("DELETE FROM campaign_awaited WHERE campaign_id = ? AND user_id = ?"),
    all: people(),
    bought: people(
      `EXISTS (SELECT 1 FROM orders WHERE user_id = a.user_id AND status <> 'cancelled'
         AND created_at <= ?)`,
    ),
    active: people(
      `(a.created_at >= ? OR EXISTS (SELECT 1 FROM ledger
         WHERE user_id = a.user_id AND created_at >= ? AND created_at <= ?))`,
    ),
  };
}
