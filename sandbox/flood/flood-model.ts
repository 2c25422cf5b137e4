/**
 * Flood model: Telegram's sending limits as token buckets and a sliding minute.
 *
 * Knows no clock: every instant is the caller's monotonic milliseconds. The real limits are not
 * published; the defaults are what the FAQ says. A call dearer than a bucket (an album) needs a full
 * one and leaves it in debt.
 * Source: reference section 5.4.
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

interface Lane {
  readonly bucket: Bucket;
  /** Instants and costs within the last minute, groups only. */
  minute: { readonly atMs: number; readonly cost: number }[];
}

const minuteMs = 60_000;
const lanesMax = 50_000;

export class FloodModel {
  readonly #limits: FloodLimits;
  readonly #total: Bucket;
  readonly #lanes = new Map<number, Lane>();

  constructor(limits: FloodLimits, nowMs: number) {
    this.#limits = limits;
    this.#total = { tokens: limits.botPerSecond, filledAtMs: nowMs };
  }

  /** Takes the messages' room if it is there. @returns 0, or the milliseconds until it will be. */
  take(chatId: number, isGroup: boolean, cost: number, nowMs: number): number {
    const { chatPerSecond, chatBurst, groupBurst, botPerSecond } = this.#limits;
    const burst = isGroup ? groupBurst : chatBurst;
    const lane = this.#lane(chatId, burst, nowMs);
    const waitMs = Math.max(
      refill(this.#total, botPerSecond, botPerSecond, cost, nowMs),
      refill(lane.bucket, burst, chatPerSecond, cost, nowMs),
      isGroup ? this.#minuteWaitMs(lane, cost, nowMs) : 0,
    );
    if (waitMs > 0) return waitMs;
    this.#total.tokens -= cost;
    lane.bucket.tokens -= cost;
    if (isGroup) lane.minute.push({ atMs: nowMs, cost });
    return 0;
  }

  #minuteWaitMs(lane: Lane, cost: number, nowMs: number): number {
    lane.minute = lane.minute.filter(({ atMs }) => atMs + minuteMs > nowMs);
    let used = lane.minute.reduce((sum, entry) => sum + entry.cost, 0);
    for (const entry of lane.minute) {
      if (used + cost <= this.#limits.groupPerMinute) return 0;
      used -= entry.cost;
      if (used + cost <= this.#limits.groupPerMinute) return entry.atMs + minuteMs - nowMs;
    }
    return 0;
  }

  #lane(chatId: number, burst: number, nowMs: number): Lane {
    const existing = this.#lanes.get(chatId);
    if (existing) return existing;
    const lane: Lane = { bucket: { tokens: burst, filledAtMs: nowMs }, minute: [] };
    this.#lanes.set(chatId, lane);
    if (this.#lanes.size > lanesMax) this.#forget(nowMs);
    return lane;
  }

  /** Forgets chats that have been quiet for so long that nothing is held against them. */
  #forget(nowMs: number): void {
    for (const [chatId, { bucket }] of this.#lanes) {
      if (bucket.filledAtMs + minuteMs < nowMs) this.#lanes.delete(chatId);
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
