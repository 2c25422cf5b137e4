/**
 * Queue holds: what the queue itself holds back, and why: pools that an operator has paused, updates
 * without room for their replies, a disk that takes no data, chats that wait.
 */
import type { Clock } from "../../core/clock.ts";
import type { HoldDevice, LaneHold, LaneHolds } from "../../core/holds.ts";
import { type Pool, pools } from "../../core/message.ts";
import { RecentLook } from "../../core/recent-look.ts";
import type { FactStore, QueueStore, WaitingLane } from "../../core/store.ts";

export interface QueueHoldsDeps {
  readonly clock: Clock;
  /** Returns milliseconds since the epoch that never jump (core/clock.ts). */
  readonly now: () => number;
  readonly store: Pick<QueueStore, "depth" | "waitingLanes" | "releaseLane"> &
    Pick<FactStore, "getFact" | "setFact">;
  /** Whether operators may pause pools from another process. */
  readonly shared: boolean;
  /** Sends of normal or high priority that may wait before no more updates are handled. */
  readonly lengthMax: number;
  /** Resumes a pool. */
  readonly resume: (pool: Pool) => Promise<void>;
  /** Makes a pool look for work. */
  readonly wake: (pool: Pool) => void;
}

/** Milliseconds after which it is read again what an operator has paused from another process. */
const pausesTrustedMs = 1_000;

export class QueueHolds {
  readonly #deps: QueueHoldsDeps;
  readonly #sendingDepth: RecentLook<number>;
  readonly #recentPauses: RecentLook<void>;
  /** Monotonic instants. */
  readonly #pausedSinceMs = new Map<Pool, number>();
  #sendingFullSinceMs: number | undefined;
  #diskFullSinceMs: number | undefined;

  constructor(deps: QueueHoldsDeps) {
    this.#deps = deps;
    this.#recentPauses = new RecentLook(deps.clock, () => this.restore(), pausesTrustedMs);
    this.#sendingDepth = new RecentLook(deps.clock, () =>
      // What is low, as a broadcast is, lets replies pass: it fills no room of theirs.
      deps.store.depth("sending", "normal"),
    );
  }

  get devices(): readonly HoldDevice[] {
    return [this.#paused(), this.#sendingFull(), this.#diskFull()];
  }

  // ---- pausing ----------------------------------------------------------------------------------

  /** Reads which pools are paused, by an earlier process or another one. */
  async restore(): Promise<void> {
    const { clock, now, store } = this.#deps;
    for (const pool of pools) {
      const since = await store.getFact(pausedFact(pool));
      if (since === undefined || since === "no") {
        this.#pausedSinceMs.delete(pool);
        continue;
      }
      // Older versions wrote "yes" and no instant.
      const ageMs = Math.max(0, now() - (Number(since) || now()));
      this.#pausedSinceMs.set(pool, clock.monotonicMs() - ageMs);
    }
  }

  async refreshPaused(): Promise<void> {
    if (this.#deps.shared) await this.#recentPauses.look();
  }

  isPaused(pool: Pool): boolean {
    return this.#pausedSinceMs.has(pool);
  }

  /** Kept over restarts. */
  async setPaused(pool: Pool, paused: boolean): Promise<void> {
    const { clock, now, store } = this.#deps;
    await store.setFact(pausedFact(pool), paused ? String(now()) : "no");
    if (!paused) this.#pausedSinceMs.delete(pool);
    else if (!this.isPaused(pool)) this.#pausedSinceMs.set(pool, clock.monotonicMs());
  }

  #paused(): HoldDevice {
    return {
      kind: "paused",
      targets: pools,
      ...(this.#deps.shared && { refresh: () => this.refreshPaused() }),
      look: (pool) => {
        const sinceMs = this.#pausedSinceMs.get(pool as Pool);
        return sinceMs === undefined
          ? undefined
          : { limit: 0, sinceMs, reason: "an operator has paused it" };
      },
      release: (pool) => this.#deps.resume(pool as Pool),
    };
  }

  // ---- room and disk ----------------------------------------------------------------------------

  #sendingFull(): HoldDevice {
    const { clock, lengthMax } = this.#deps;
    return {
      kind: "sending-full",
      targets: ["handling"],
      refresh: async () => {
        const full = (await this.#sendingDepth.look()) >= lengthMax;
        this.#sendingFullSinceMs = full
          ? (this.#sendingFullSinceMs ?? clock.monotonicMs())
          : undefined;
      },
      look: () =>
        this.#sendingFullSinceMs === undefined
          ? undefined
          : {
              limit: 0,
              sinceMs: this.#sendingFullSinceMs,
              reason: `${lengthMax} replies wait to be sent, so there is no room for more`,
            },
    };
  }

  /** Records whether the last commit found the disk full. */
  diskWasFull(full: boolean): void {
    if (!full) this.#diskFullSinceMs = undefined;
    else this.#diskFullSinceMs ??= this.#deps.clock.monotonicMs();
  }

  #diskFull(): HoldDevice {
    return {
      kind: "disk-full",
      targets: pools,
      // The disk itself refuses what is claimed; a commit that it takes ends the hold.
      advisory: true,
      look: () =>
        this.#diskFullSinceMs === undefined
          ? undefined
          : { sinceMs: this.#diskFullSinceMs, reason: "the disk is full; free some space" },
    };
  }

  // ---- lanes ------------------------------------------------------------------------------------

  get lanes(): LaneHolds {
    const { store, wake } = this.#deps;
    return {
      list: async (limit) => (await store.waitingLanes(limit)).map(toHold),
      release: async (pool, lane) => {
        const released = await store.releaseLane(pool, lane);
        if (released) wake(pool);
        return released;
      },
    };
  }
}

function toHold(waiting: WaitingLane): LaneHold {
  const { attempts, availableAtEpochMs, createdAtEpochMs, lane, parked, pool } = waiting;
  return {
    kind: parked ? "chat-rate-limited" : "retry-back-off",
    target: pool,
    lane,
    reason: parked
      ? "Telegram limits this chat"
      : `its first message has failed ${attempts === 1 ? "once" : `${attempts} times`}`,
    sinceEpochMs: createdAtEpochMs,
    untilEpochMs: availableAtEpochMs,
  };
}

function pausedFact(pool: Pool): string {
  return `queue.paused.${pool}`;
}
