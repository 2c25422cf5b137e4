/**
 * Flood model: Telegram's sending limits as token buckets and a sliding minute.
 *
 * It has no clock: every instant is the caller's monotonic milliseconds. The real limits are not
 * published; the defaults are the FAQ's, with bursts of our own. A call that costs more than a bucket
 * holds (an album) needs a full bucket and leaves it in debt.
 * Source: core.telegram.org/bots/faq, "My bot is hitting limits".
 */

export interface FloodLimits {
  /** Messages a second in a chat, in the long run. Default 1. */
  readonly chatPerSecond: number;
  /** Messages at once in a private chat. Default 5. */
  readonly chatBurst: number;
  /** Messages at once in a group. Default 3. */
  readonly groupBurst: number;
  /** Messages within any 60 s in a group. Default 20. */
  readonly groupPerMinute: number;
  /** Messages a second over all chats. Default 30. */
  readonly botPerSecond: number;
}

export const floodLimitsDefault: FloodLimits = {
  chatPerSecond: 1,
  chatBurst: 5,
  groupBurst: 3,
  groupPerMinute: 20,
  botPerSecond: 30,
};

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

interface ChatBudget {
  readonly bucket: Bucket;
  /** Instants and costs within the last minute, groups only. */
  minute: { readonly atMs: number; readonly cost: number }[];
}

const minuteMs = 60_000;
const chatsMax = 50_000;

export class FloodModel {
  readonly #limits: FloodLimits;
  readonly #total: Bucket;
  readonly #budgets = new Map<number, ChatBudget>();

  constructor(limits: FloodLimits, nowMs: number) {
    this.#limits = limits;
    this.#total = { tokens: limits.botPerSecond, filledAtMs: nowMs };
  }

  /** Takes the cost if the budget covers it. @returns 0, or the milliseconds until it will. */
  take(chatId: number, isGroup: boolean, cost: number, nowMs: number): number {
    const { chatPerSecond, chatBurst, groupBurst, botPerSecond } = this.#limits;
    const burst = isGroup ? groupBurst : chatBurst;
    const budget = this.#budget(chatId, burst, nowMs);
    const waitMs = Math.max(
      refill(this.#total, botPerSecond, botPerSecond, cost, nowMs),
      refill(budget.bucket, burst, chatPerSecond, cost, nowMs),
      isGroup ? this.#minuteWaitMs(budget, cost, nowMs) : 0,
    );
    if (waitMs > 0) return waitMs;
    this.#total.tokens -= cost;
    budget.bucket.tokens -= cost;
    if (isGroup) budget.minute.push({ atMs: nowMs, cost });
    return 0;
  }

  #minuteWaitMs(budget: ChatBudget, cost: number, nowMs: number): number {
    budget.minute = budget.minute.filter(({ atMs }) => atMs + minuteMs > nowMs);
    let used = budget.minute.reduce((sum, entry) => sum + entry.cost, 0);
    for (const entry of budget.minute) {
      if (used + cost <= this.#limits.groupPerMinute) return 0;
      used -= entry.cost;
      if (used + cost <= this.#limits.groupPerMinute) return entry.atMs + minuteMs - nowMs;
    }
    return 0;
  }

  #budget(chatId: number, burst: number, nowMs: number): ChatBudget {
    const existing = this.#budgets.get(chatId);
    if (existing) return existing;
    const budget: ChatBudget = { bucket: { tokens: burst, filledAtMs: nowMs }, minute: [] };
    this.#budgets.set(chatId, budget);
    if (this.#budgets.size > chatsMax) this.#forget(nowMs);
    return budget;
  }

  /** Forgets chats whose budget has been full again for a while. */
  #forget(nowMs: number): void {
    for (const [chatId, { bucket }] of this.#budgets) {
      if (bucket.filledAtMs + minuteMs < nowMs) this.#budgets.delete(chatId);
    }
  }
}

/** @returns the milliseconds until the bucket holds the cost, 0 when it does. */
function refill(
  bucket: Bucket,
  capacity: number,
  ratePerSecond: number,
  cost: number,
  nowMs: number,
): number {
  const gained = ((nowMs - bucket.filledAtMs) * ratePerSecond) / 1_000;
  bucket.tokens = Math.min(capacity, bucket.tokens + gained);
  bucket.filledAtMs = nowMs;
  const missing = Math.min(cost, capacity) - bucket.tokens;
  // A billionth of a token is rounding, not flooding.
  return missing <= 1e-9 ? 0 : (missing * 1_000) / ratePerSecond;
}
