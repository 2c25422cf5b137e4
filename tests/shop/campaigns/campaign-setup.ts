/** Campaign setup: people in tables in memory, and a queue that keeps what is keyed and dies on demand. */
import type { Documents } from "../../../bot/core/documents.ts";
import { type KeyState, outboxKeyName } from "../../../bot/core/keyed-messages.ts";
import type { Transaction } from "../../../bot/core/transaction.ts";
import { campaignsOf, type Outcome } from "../../../bot/shop/campaigns/campaign-tables.ts";
import { act, type CampaignAct, keyOf, takeTurn } from "../../../bot/shop/campaigns/campaigns.ts";
import { shop } from "../../../bot/shop/module.ts";
import { shopTables } from "../../../bot/shop/sqlite-tables.ts";
import { SqlTables } from "../sql-tables.ts";

/** Where the process dies in a turn: before its commit, or right behind it, so that the turn runs again. */
export type TurnDeath = "lost" | "kept" | undefined;

export const batch = 4;
export const bossId = 900;

export class CampaignWorld {
  nowEpochMs = Date.UTC(2026, 0, 1);
  /** Whom Telegram was told to write to, in order. */
  readonly written: number[] = [];
  readonly #sql = new SqlTables(shop.tables ?? []);
  #documents = new Map<string, string>();
  #queue = new Map<string, KeyState>();
  readonly #letters = new Map<number, Outcome>();

  async transaction<T>(
    work: (tx: Transaction) => Promise<T>,
    dies = false,
  ): Promise<T | undefined> {
    const [queue, documents] = [new Map(this.#queue), new Map(this.#documents)];
    this.#sql.begin();
    let kept = false;
    try {
      const result = await work({
        tables: (set) => this.#sql.tables(set, () => {}),
        documents: this.#store,
        messages: {
          find: async (key) => this.#queue.get(key) ?? { kind: "unknown" },
          cancel: async (key) =>
            this.#queue.get(key)?.kind === "waiting" && this.#queue.delete(key),
        },
        lock: async () => {},
        deleteDeadLetters: async () => 0,
        nowEpochMs: this.nowEpochMs,
      });
      kept = !dies;
      return kept ? result : undefined;
    } finally {
      this.#sql.end(kept);
      if (!kept) [this.#queue, this.#documents] = [queue, documents];
    }
  }

  read = async <T>(work: (tx: Transaction) => Promise<T>): Promise<T> =>
    (await this.transaction(work)) as T;

  /** Opens accounts, as of now. */
  async join(userIds: readonly number[], languageCode?: string): Promise<void> {
    await this.transaction(async (tx) => {
      for (const userId of userIds) {
        await tx.tables(shopTables).insertAccount({ userId, createdAtEpochMs: tx.nowEpochMs });
        await tx.tables(shopTables).setProfile(userId, { firstName: "x", languageCode });
      }
    });
  }

  /** Runs a turn, again if the process dies in it; queues what it asks for in the same commit. */
  async turn(campaignId: number, death?: TurnDeath): Promise<void> {
    const { chain } = await this.campaign(campaignId);
    if (death !== undefined) await this.#turn(campaignId, chain, death === "lost");
    await this.#turn(campaignId, chain, false);
  }

  async #turn(campaignId: number, chain: number, dies: boolean): Promise<void> {
    await this.transaction(async (tx) => {
      const turn = await takeTurn(tx, campaignId, chain, this.#letters, batch);
      for (const userId of turn?.recipients ?? []) {
        const name = outboxKeyName(keyOf({ id: campaignId }, userId));
        // As the queue does: a key that is taken makes no second message.
        if (!this.#queue.has(name)) this.#queue.set(name, { kind: "waiting", atEpochMs: 0 });
      }
    }, dies);
  }

  async act(campaignId: number, what: CampaignAct) {
    return this.transaction((tx) => act(tx, bossId, campaignId, what, { chatId: 1, messageId: 2 }));
  }

  async campaign(campaignId: number) {
    const found = await this.read((tx) => campaignsOf(tx).findCampaign(campaignId));
    if (!found) throw new Error("there is no such campaign");
    return found;
  }

  /** Claims the message that has waited longest. */
  claim(): void {
    const [name] = [...this.#queue].find(([, { kind }]) => kind === "waiting") ?? [];
    if (name !== undefined) this.#queue.set(name, { kind: "in-hand", atEpochMs: 0 });
  }

  /** Ends every message in hand, and those that wait if `all`. */
  deliver(outcome: Exclude<Outcome, "unclear">, all = false): void {
    for (const [name, { kind }] of this.#queue) {
      if (kind !== "in-hand" && !(all && kind === "waiting")) continue;
      this.written.push(Number(name.split(":").at(-1)));
      if (outcome === "sent") {
        this.#queue.set(name, { kind: "done", atEpochMs: 0 });
        continue;
      }
      const deadLetterId = this.#letters.size + 1;
      this.#letters.set(deadLetterId, outcome);
      this.#queue.set(name, { kind: "dead", atEpochMs: 0, deadLetterId });
    }
  }

  /** Forgets what was done, as the queue does after the lifetime of its keys. */
  forget(): void {
    for (const [name, { kind }] of this.#queue) if (kind === "done") this.#queue.delete(name);
  }

  get waiting(): number {
    return [...this.#queue.values()].filter(({ kind }) => /waiting|in-hand/.test(kind)).length;
  }

  readonly #store: Documents = {
    get: async <T>(collection: string, key: string) => {
      const text = this.#documents.get(`${collection}/${key}`);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    put: async (collection, key, value) => {
      this.#documents.set(`${collection}/${key}`, JSON.stringify(value));
    },
    delete: async (collection, key) => this.#documents.delete(`${collection}/${key}`),
    list: async () => [],
  };
}
