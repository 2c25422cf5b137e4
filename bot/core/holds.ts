/**
 * Holds: the one mechanism by which a protective device holds work back (promise P13).
 *
 * A device says how many messages may be worked on at a time because of it: none, one, a few. The pools
 * and the intake ask only `Holds` whether they may go on, so nothing is held back that cannot be listed,
 * explained and, where that makes sense, released by hand.
 */
import type { Clock } from "./clock.ts";
import type { Pool } from "./message.ts";

/** The work that a hold stops or slows down. */
export type HoldTarget = "intake" | Pool;

/** How each kind of hold is bounded, tested meanwhile, and released by hand. */
export const holdKinds = {
  "telegram-unreachable": {
    holds: "sends and answers, while Telegram does not answer (circuit breaker)",
    bound: "the next answer from Telegram",
    test: "`getMe`, every 4 s at the latest, and every poll that succeeds",
    release: "asks Telegram at once",
  },
  "all-chats-rate-limited": {
    holds: "all sends, when several chats got a 429 within seconds",
    bound: "the first send that Telegram accepts",
    test: "one send at a time, after 1 s, then 2 s, at most 15 s",
    release: "sends at full speed again",
  },
  "chat-rate-limited": {
    holds: "one chat, after a 429",
    bound: "`retry_after`, at most `RATE_LIMIT_WAIT_MAX_SECONDS`; then the message is set aside",
    test: "the chat's next send when the wait is over",
    release: "sends to this chat at once",
  },
  "retry-back-off": {
    holds: "one chat, between two attempts at its first message",
    bound: "`QUEUE_RETRY_MAX_MS` before each attempt, `QUEUE_ATTEMPTS_MAX` attempts",
    test: "the next attempt",
    release: "makes the next attempt at once",
  },
  "safe-mode": {
    holds: "updates beyond a few at a time, after several deaths in a row",
    bound: "20 s: twice as many when enough are done, or after 5 s",
    test: "the work itself",
    release: "handles at full speed again",
  },
  "suspect-alone": {
    holds: "updates beside one that may have killed the process",
    bound: "1 s for each suspect",
    test: "the suspect runs",
    release: undefined,
  },
  paused: {
    holds: "a pool that an operator has paused",
    bound: "the operator",
    test: "nothing; it is kept over restarts",
    release: "resumes the pool",
  },
  "queue-full": {
    holds: "the intake, while `QUEUE_LENGTH_MAX` updates wait",
    bound: "the next update that is done",
    test: "before every poll",
    release: undefined,
  },
  "sending-full": {
    holds: "updates, while there is no room for their replies",
    bound: "the next send that is done",
    test: "every 250 ms",
    release: undefined,
  },
  "disk-full": {
    holds: "everything, while the disk takes no data",
    bound: "the next commit that succeeds",
    test: "the commit, every 5 s at the latest",
    release: undefined,
  },
  "intake-failing": {
    holds: "the intake, between two polls, after one that failed",
    bound: "4 s; 1 minute after a 429, half a minute when the token is refused",
    test: "the next poll",
    release: "polls at once",
  },
  "rapid-requests": {
    holds: "the requests of a person who sends more than `RAPID_REQUESTS_MAX` in a window",
    bound: "`RAPID_REQUESTS_SECONDS`",
    test: "the person's next request",
    release: undefined,
  },
  "other-process": {
    holds: "polling or sending, where another process on the same database does it",
    bound: "the end of that process",
    test: "its lock, every 500 ms",
    release: undefined,
  },
  draining: {
    holds: "everything, while the process stops",
    bound: "`DRAIN_DEADLINE_MS`; the next process goes on",
    test: "nothing",
    release: undefined,
  },
  "held-at-start": {
    holds: "everything, in a process that was started only to be looked at",
    bound: "the end of the process",
    test: "nothing",
    release: undefined,
  },
} as const satisfies Readonly<Record<string, HoldKindRow>>;

interface HoldKindRow {
  readonly holds: string;
  /** When it ends at the latest. */
  readonly bound: string;
  /** How it is found out meanwhile whether it is still needed. */
  readonly test: string;
  /** The effect of releasing it by hand; `undefined` when it cannot be released. */
  readonly release: string | undefined;
}

export type HoldKind = keyof typeof holdKinds;

/** A device's answer while its hold is in force. */
export interface HoldLook {
  /** Messages that may be worked on at a time because of it. Default: it sets no such limit. */
  readonly limit?: number;
  readonly sinceMs: number;
  /** Its latest end as far as it is known, in monotonic milliseconds. */
  readonly untilMs?: number;
  /** One sentence for the operator, without anybody's words or ids. */
  readonly reason: string;
}

/** A protective device that holds back whole pools or the intake. */
export interface HoldDevice {
  readonly kind: HoldKind;
  readonly targets: readonly HoldTarget[];
  /** True when it only tells what is held by other means, as by a full disk. Default false. */
  readonly advisory?: true;
  /** Brings what `look` knows up to date; asked before every claim. May reject. */
  refresh?(): Promise<void>;
  /** @returns `undefined` while nothing is held. Quick; never throws. */
  look(target: HoldTarget): HoldLook | undefined;
  /** Ends the hold by hand. Missing where its kind cannot be released. */
  release?(target: HoldTarget): void | Promise<void>;
}

/** One lane that is held, while all others go on. */
export interface LaneHold {
  readonly kind: HoldKind;
  readonly target: Pool;
  readonly lane: string;
  readonly reason: string;
  readonly sinceEpochMs: number;
  readonly untilEpochMs: number;
}

/** Knows the lanes that are held. */
export interface LaneHolds {
  /** @param limit At most so many, the longest first. */
  list(limit: number): Promise<readonly LaneHold[]>;
  /** @returns false when this lane is not held. */
  release(target: Pool, lane: string): Promise<boolean>;
}

/** A hold in force, as operators see it. */
export interface Hold {
  readonly id: string;
  readonly kind: HoldKind;
  readonly target: HoldTarget;
  /** The chat that is held; absent when the whole target is. */
  readonly lane?: string;
  /** Messages that may be worked on at a time; `null` when the hold sets no such limit. */
  readonly limit: number | null;
  readonly reason: string;
  readonly sinceEpochMs: number;
  /** Its latest end as far as it is known. */
  readonly untilEpochMs: number | null;
  /** How it is found out meanwhile whether it is still needed. */
  readonly test: string;
  readonly releasable: boolean;
}

/** A hold, and how long the oldest work has waited because of it; 0 when nothing waits. */
export interface WaitingHold extends Hold {
  readonly waitedMs: number;
}

/** Work that waits longer than this, in milliseconds, is worth a look. */
export const longWaitMs = 60_000;

/** Milliseconds after which what is held looks again, unless it is woken before. */
const reviewMs = 250;
/** Held lanes that are listed. */
const lanesMax = 100;

export class Holds {
  readonly #clock: Clock;
  readonly #devices = new Map<string, HoldDevice>();
  readonly #lanes: LaneHolds[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a device; a later instance of the same component takes the place of the earlier one. */
  add(device: HoldDevice): void {
    this.#devices.set(`${device.kind}:${device.targets}`, device);
  }

  addLanes(lanes: LaneHolds): void {
    this.#lanes.push(lanes);
  }

  /**
   * How many messages of the target may be worked on at a time. Rejects as a device's `refresh` does.
   *
   * @returns `reviewInMs`: when to ask again while that is too few.
   */
  async allowance(target: HoldTarget): Promise<{ limit: number; reviewInMs: number }> {
    let limit = Number.POSITIVE_INFINITY;
    let reviewInMs = reviewMs;
    for (const device of this.#holding(target)) {
      if (device.refresh) await device.refresh();
      const look = device.look(target);
      if (!look) continue;
      limit = Math.min(limit, look.limit ?? Number.POSITIVE_INFINITY);
      const leftMs = (look.untilMs ?? Number.POSITIVE_INFINITY) - this.#clock.monotonicMs();
      reviewInMs = Math.min(reviewInMs, Math.max(1, leftMs));
    }
    return { limit, reviewInMs };
  }

  /** How many messages of the target may be worked on at a time, as far as is known without asking anybody. */
  limit(target: HoldTarget): number {
    let limit = Number.POSITIVE_INFINITY;
    for (const device of this.#holding(target)) {
      limit = Math.min(limit, device.look(target)?.limit ?? Number.POSITIVE_INFINITY);
    }
    return limit;
  }

  /** The devices that hold this target back, when they look. */
  *#holding(target: HoldTarget): Iterable<HoldDevice> {
    for (const device of this.#devices.values()) {
      if (!device.advisory && device.targets.includes(target)) yield device;
    }
  }

  /** All holds in force; of held lanes those that wait longest, at most 100. */
  async list(): Promise<readonly Hold[]> {
    const toEpoch = this.#clock.epochMs() - this.#clock.monotonicMs();
    const holds: Hold[] = [];
    for (const device of this.#devices.values()) {
      for (const target of device.targets) {
        const look = device.look(target);
        if (!look) continue;
        const { limit, reason, sinceMs, untilMs } = look;
        holds.push({
          id: `${device.kind}:${target}`,
          ...{ kind: device.kind, target, reason },
          limit: limit ?? null,
          sinceEpochMs: Math.round(sinceMs + toEpoch),
          untilEpochMs: untilMs === undefined ? null : Math.round(untilMs + toEpoch),
          test: holdKinds[device.kind].test,
          releasable: device.release !== undefined,
        });
      }
    }
    for (const lanes of this.#lanes) {
      for (const lane of await lanes.list(lanesMax)) {
        const { kind, target } = lane;
        const id = `${kind}:${target}:${lane.lane}`;
        holds.push({ id, ...lane, limit: 0, test: holdKinds[kind].test, releasable: true });
      }
    }
    return holds;
  }

  /**
   * Ends a hold by hand.
   *
   * @returns "released"; "unknown" when no such hold is in force; "not-releasable" when only its own test
   *   can end it.
   */
  async release(id: string): Promise<"released" | "unknown" | "not-releasable"> {
    const [kind, target, ...lane] = id.split(":") as [HoldKind, HoldTarget, ...string[]];
    if (lane.length > 0) {
      const found = this.#lanes.map((lanes) => lanes.release(target as Pool, lane.join(":")));
      return (await Promise.all(found)).includes(true) ? "released" : "unknown";
    }
    for (const device of this.#devices.values()) {
      if (device.kind !== kind || !device.targets.includes(target) || !device.look(target))
        continue;
      if (!device.release) return "not-releasable";
      await device.release(target);
      return "released";
    }
    return "unknown";
  }
}
