/**
 * Flood control against a server that executes a call at any time between its start and its answer;
 * if the caller died, up to a second after the death.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FloodControl,
  type FloodLimits,
  isGroup,
} from "../../../bot/telegram/delivery/flood-rules.ts";

const limits: FloodLimits = { enabled: true, chatBurst: 1, groupPerMinute: 20, totalPerSecond: 30 };

interface Execution {
  readonly scope: string;
  readonly cost: number;
  readonly atMs: number;
}

interface Flight extends Execution {
  readonly id: number;
  readonly answerAtMs: number;
}

/** Runs one bot after another on one machine, with the server that sees what they send. */
class Machine {
  readonly executions: Execution[] = [];
  #flood: FloodControl;
  readonly #limits: FloodLimits;
  #records: { scope: string; cost: number; atMs: number }[] = [];
  #flights: Flight[] = [];
  #ids = 0;

  constructor(use: FloodLimits) {
    this.#limits = use;
    this.#flood = new FloodControl(use);
  }

  trySend(send: Send, nowMs: number): boolean {
    const { cost, low, scope } = send;
    if (this.#flood.overall(cost, low, nowMs) !== "now") return false;
    if (this.#flood.inChat(scope, cost, nowMs) !== "now") return false;
    const id = ++this.#ids;
    this.#flood.start(id, scope, cost, low, nowMs);
    const atMs = nowMs + send.takesMs * send.executedAfter;
    this.#flights.push({ id, scope, cost, atMs, answerAtMs: nowMs + send.takesMs });
    return true;
  }

  /** Answers every call that is due. */
  settle(nowMs: number): void {
    const due = this.#flights.filter(({ answerAtMs }) => answerAtMs <= nowMs);
    this.#flights = this.#flights.filter(({ answerAtMs }) => answerAtMs > nowMs);
    for (const flight of due) {
      this.executions.push(flight);
      this.#flood.ended(flight.id, "answered");
      const fromMs = this.#flood.settle(flight.id, nowMs) ?? Number.NaN;
      // The store keeps whole milliseconds.
      this.#records.push({ ...flight, atMs: Math.ceil(fromMs) });
    }
  }

  /**
   * Lets the bot die and come back at once; its calls in flight are executed up to a second later.
   */
  restart(lateMs: number, nowMs: number): void {
    this.#flood = new FloodControl(this.#limits);
    for (const { atMs, cost, scope } of this.#records) {
      this.#flood.restore(scope, cost, Math.round(nowMs) - atMs, nowMs);
    }
    for (const flight of this.#flights) {
      const atMs = Math.max(flight.atMs, nowMs + lateMs);
      this.executions.push({ ...flight, atMs: Math.min(atMs, nowMs + 1_000) });
      this.#flood.start(flight.id, flight.scope, flight.cost, false, nowMs);
      const fromMs = this.#flood.settle(flight.id, nowMs) ?? Number.NaN;
      this.#records.push({ ...flight, atMs: Math.ceil(fromMs) });
    }
    this.#flights = [];
  }
}

interface Send {
  readonly scope: string;
  readonly cost: number;
  readonly low: boolean;
  readonly takesMs: number;
  /** The fraction of that time after which it is executed, 0 to 1. */
  readonly executedAfter: number;
}

type Step = ({ readonly kind: "send" } & Send) | { readonly kind: "wait" | "die"; ms: number };

const sends = fc.record({
  kind: fc.constant("send" as const),
  scope: fc.constantFrom(
    "1",
    "2",
    "-3",
    "@channel",
    ...Array.from({ length: 40 }, (_, n) => `${n + 10}`),
  ),
  cost: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 10 })),
  low: fc.boolean(),
  takesMs: fc.oneof(
    fc.double({ min: 0, max: 30, noNaN: true }),
    fc.integer({ max: 3_000, min: 0 }),
  ),
  executedAfter: fc.double({ min: 0, max: 1, noNaN: true }),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: sends },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant("wait" as const),
        ms: fc.double({ min: 0, max: 400, noNaN: true }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("die" as const), ms: fc.nat(1_000) }) },
  ),
  { minLength: 50, maxLength: 400 },
);

test("no sliding window ever holds more than its limit, at any server pace and over deaths", () => {
  fc.assert(
    fc.property(steps, (plan) => {
      const executions = play(plan);
      expect(fullest(executions, 1_000)).toBeLessThanOrEqual(30);
      for (const scope of new Set(executions.map((execution) => execution.scope))) {
        const mine = executions.filter((execution) => execution.scope === scope);
        expect(fullest(mine, 1_000, 1), scope).toBeLessThanOrEqual(1);
        if (isGroup(scope)) expect(fullest(mine, 60_000, 20), scope).toBeLessThanOrEqual(20);
      }
    }),
    { numRuns: 300 },
  );
});

function play(plan: readonly Step[]): readonly Execution[] {
  const machine = new Machine(limits);
  let nowMs = 0;
  for (const step of plan) {
    machine.settle(nowMs);
    if (step.kind === "send") machine.trySend(step, nowMs);
    else if (step.kind === "die") machine.restart(step.ms, nowMs);
    else nowMs += step.ms;
  }
  machine.settle(Number.POSITIVE_INFINITY);
  return machine.executions;
}

/**
 * Returns the most that any window of this length holds; an album alone in its window counts at
 * most `cap`.
 */
function fullest(executions: readonly Execution[], lengthMs: number, cap = 30): number {
  const sorted = executions.toSorted((a, b) => a.atMs - b.atMs);
  let most = 0;
  let held = 0;
  let first = 0;
  for (const execution of sorted) {
    held += Math.min(execution.cost, cap);
    while ((sorted[first] as Execution).atMs <= execution.atMs - lengthMs) {
      held -= Math.min((sorted[first] as Execution).cost, cap);
      first++;
    }
    most = Math.max(most, held);
  }
  return most;
}

test.each([0, 5, 20])(
  "a saturated sender whose calls take %i ms uses 95 percent of the rate",
  (takesMs) => {
    for (const low of [false, true]) {
      const machine = new Machine(limits);
      let started = 0;
      for (let nowMs = 0; nowMs < 20_000; nowMs++) {
        machine.settle(nowMs);
        const send = { cost: 1, low, takesMs, executedAfter: 0.5 };
        while (machine.trySend({ ...send, scope: `${started + 1}` }, nowMs)) started++;
      }
      // The first second's burst does not count towards the rate.
      expect(started - 30).toBeGreaterThanOrEqual(0.95 * 19 * 30);
    }
  },
);

test("a broadcast leaves room for a reply at any moment", () => {
  const flood = new FloodControl(limits);
  let started = 0;
  let longestMs = 0;
  for (let nowMs = 0; nowMs < 10_000; nowMs++) {
    while (flood.overall(1, true, nowMs) === "now") {
      started++;
      flood.start(started, String(started), 1, true, nowMs);
      flood.ended(started, "answered");
      flood.settle(started, nowMs);
    }
    const verdict = flood.overall(1, false, nowMs);
    if (typeof verdict === "object") longestMs = Math.max(longestMs, verdict.atMs - nowMs);
  }
  expect(longestMs).toBeLessThanOrEqual(200);
});

/** Saturates the limit with low priority for a time while people are answered. @returns how long each of the later half waited. */
function replyWaits(totalPerSecond: number, seconds: number, repliesAtMs: readonly number[]) {
  const flood = new FloodControl({ ...limits, totalPerSecond });
  let ids = 0;
  const start = (low: boolean, nowMs: number) => {
    flood.start(++ids, String(ids), 1, low, nowMs);
    flood.ended(ids, "answered");
    flood.settle(ids, nowMs + 5);
  };
  const waits: number[] = [];
  const waiting: number[] = [];
  let next = 0;
  let broadcast = 0;
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs++) {
    while ((repliesAtMs[next] ?? Number.POSITIVE_INFINITY) <= nowMs)
      waiting.push(repliesAtMs[next++] as number);
    while (waiting.length > 0 && flood.overall(1, false, nowMs) === "now") {
      waits.push(nowMs - (waiting.shift() as number));
      start(false, nowMs);
    }
    while (flood.overall(1, true, nowMs) === "now") {
      broadcast++;
      start(true, nowMs);
    }
  }
  return { broadcast, waits: waits.slice(Math.ceil(waits.length / 2)) };
}

test.each([
  [30, 2, 100],
  [30, 10, 100],
  [1_000, 200, 12],
])(
  "beside a broadcast at %d messages a second, 99 of 100 people who write at random, %d a second, do not wait",
  (totalPerSecond, perSecond, seconds) => {
    // Instants of a Poisson process, by a generator with a fixed seed.
    let seed = 7;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const atMs: number[] = [];
    for (let at = 0; at < seconds * 1_000; at += (-Math.log(random()) * 1_000) / perSecond)
      atMs.push(at);

    const { broadcast, waits } = replyWaits(totalPerSecond, seconds, atMs);

    const waited = waits.filter((ms) => ms > 2).length;
    expect(waited / waits.length).toBeLessThanOrEqual(0.01);
    // What replies leave is used, but for a small part.
    expect(broadcast).toBeGreaterThanOrEqual(0.8 * seconds * (totalPerSecond - perSecond));
  },
);

describe("the next message to a chat depends on how the last call ended:", () => {
  test.each([
    ["answered", { atMs: 1_100 }],
    ["unknown", { atMs: 2_100 }],
    ["not-sent", "now"],
  ] as const)("%s", (end, verdict) => {
    const flood = new FloodControl(limits);
    flood.start(1, "7", 1, false, 0);
    expect(flood.inChat("7", 1, 100)).toBe("after-flight");
    flood.ended(1, end);
    flood.settle(1, 100);
    expect(flood.inChat("7", 1, 100)).toEqual(verdict);
  });
});

test("a clock set back after the restart neither opens a window early nor closes it for long", () => {
  const flood = new FloodControl(limits);
  flood.restore("7", 1, -86_400_000, 0);
  expect(flood.inChat("7", 1, 0)).toEqual({ atMs: 2_002 });
});

test("an album larger than a window waits for an empty one and is then sent", () => {
  const flood = new FloodControl(limits);
  expect(flood.inChat("7", 10, 0)).toBe("now");
  flood.start(1, "7", 10, false, 0);
  flood.ended(1, "answered");
  flood.settle(1, 0);
  expect(flood.inChat("7", 1, 999)).toEqual({ atMs: 1_000 });
  expect(flood.inChat("7", 10, 1_000)).toBe("now");
});

test("without limits every message may start, and nothing is remembered", () => {
  const flood = new FloodControl({ ...limits, enabled: false });
  for (let id = 0; id < 1_000; id++) {
    expect(flood.overall(1, true, 0)).toBe("now");
    expect(flood.inChat("7", 1, 0)).toBe("now");
    flood.start(id, "7", 1, true, 0);
  }
  expect(flood.chats).toBe(0);
});

test("chats whose windows are open again are forgotten", () => {
  const flood = new FloodControl(limits);
  for (let id = 1; id <= 100; id++) {
    flood.start(id, String(id), 1, false, 0);
    flood.ended(id, "answered");
    flood.settle(id, 0);
  }
  flood.start(101, "-1", 1, false, 0);
  flood.ended(101, "answered");
  flood.settle(101, 0);
  flood.prune(1_000);
  expect(flood.chats).toBe(1);
  flood.prune(60_000);
  expect(flood.chats).toBe(0);
});
