/** Lanes: which heads are shown and in which order, by tables and against a naive model. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Decide,
  Lanes,
  type Verdict,
  type Waiting,
} from "../../../bot/storage/lanes/lanes.ts";

const waiting = (id: number, given: Partial<Waiting> = {}): Waiting => ({
  id,
  priority: 1,
  createdAt: id,
  availableAt: 0,
  suspicion: 0,
  attempts: 0,
  ...given,
});

/** Claims up to `limit` heads of one priority. */
function claim(lanes: Lanes, priority: number, availableBy = 0, limit = 100): number[] {
  const claimed: number[] = [];
  lanes.look({ priority, availableBy, withSuspects: true, headsMax: 100 }, (id) => {
    if (claimed.length >= limit) return "end";
    claimed.push(id);
    return "take";
  });
  return claimed;
}

test("only the first message of a lane is shown, until it has left", () => {
  const lanes = new Lanes();
  for (const id of [1, 2]) lanes.add("a", waiting(id));
  expect(claim(lanes, 1)).toEqual([1]);
  expect(claim(lanes, 1)).toEqual([]);
  lanes.remove("a", 1);
  expect(claim(lanes, 1)).toEqual([2]);
});

test("a message behind the head raises the lane's priority, and takes it along when it leaves", () => {
  const lanes = new Lanes();
  lanes.add("a", waiting(1, { priority: 2 }));
  lanes.add("a", waiting(2, { priority: 0 }));
  lanes.add("a", waiting(3, { priority: 2 }));
  expect([claim(lanes, 2), claim(lanes, 0)]).toEqual([[], [1]]);
  lanes.remove("a", 1);
  expect(claim(lanes, 0)).toEqual([2]);
  lanes.remove("a", 2);
  expect(claim(lanes, 2)).toEqual([3]);
});

test("heads are shown by the instant they became available, then by age", () => {
  const lanes = new Lanes();
  const instants = [5, 3, 3, 9, 1];
  for (const [n, availableAt] of instants.entries()) {
    lanes.add(`lane ${n}`, waiting(n, { availableAt }));
  }
  expect(lanes.nextAvailableAt).toBe(1);
  expect(claim(lanes, 1, 5)).toEqual([4, 1, 2, 0]);
  expect(lanes.nextAvailableAt).toBe(9);
});

test("a head that was refused is shown again only from its new instant on, and in its place", () => {
  const lanes = new Lanes();
  for (const id of [1, 2, 3]) lanes.add(`lane ${id}`, waiting(id));
  const shown: number[] = [];
  lanes.look({ priority: 1, availableBy: 0, withSuspects: true, headsMax: 10 }, (id) => {
    shown.push(id);
    return id === 1 ? { notBefore: 7 } : "end";
  });
  expect([shown, claim(lanes, 1), lanes.nextAvailableAt]).toEqual([[1, 2], [2, 3], 7]);
});

test("a look that fails leaves every head in its place", () => {
  const lanes = new Lanes();
  for (const id of [1, 2]) lanes.add(`lane ${id}`, waiting(id));
  const fail = () => {
    throw new Error("no");
  };
  const look = { priority: 1, availableBy: 0, withSuspects: true, headsMax: 10 };
  expect(() => lanes.look(look, fail)).toThrow("no");
  expect(claim(lanes, 1)).toEqual([1, 2]);
});

test("suspects are shown alone, those that died least often first", () => {
  const lanes = new Lanes();
  for (const [id, suspicion] of [
    [1, 2],
    [2, 0],
    [3, 1],
  ] as const) {
    lanes.add(`lane ${id}`, waiting(id, { suspicion }));
  }
  const shown: number[] = [];
  const look = { priority: 1, availableBy: 0, withSuspects: false, headsMax: 10 };
  const decide = (id: number): Verdict => {
    shown.push(id);
    return { notBefore: 0 };
  };
  lanes.look(look, decide);
  lanes.lookAtSuspects(0, 10, decide);
  expect(shown).toEqual([2, 3, 1]);
});

test("a park outlives the messages of its lane", () => {
  const lanes = new Lanes();
  lanes.add("a", waiting(1));
  claim(lanes, 1);
  lanes.park("a", 50);
  lanes.remove("a", 1);
  lanes.add("a", waiting(2));
  expect(lanes.nextAvailableAt).toBe(50);
  lanes.sweep(50);
  expect(claim(lanes, 1, 50)).toEqual([2]);
  lanes.remove("a", 2);
  lanes.add("a", waiting(3));
  expect(lanes.nextAvailableAt).toBe(0);
});

test("after a burst new lanes take over, with the parks of the old ones", () => {
  const lanes = new Lanes();
  lanes.park("a", 50);
  for (let id = 1; id <= 10_001; id++) lanes.add("a", waiting(id));
  for (let id = 1; id <= 10_001; id++) {
    expect(lanes.isWasteful).toBe(false);
    lanes.take("a", id);
    lanes.remove("a", id);
  }
  expect(lanes.isWasteful).toBe(true);
  const next = new Lanes(lanes);
  next.add("a", waiting(10_002));
  expect([next.isWasteful, next.nextAvailableAt]).toEqual([false, 50]);
});

// ---- the naive model ----------------------------------------------------------------------------

interface ModelMessage extends Waiting {
  readonly lane: string;
  readonly heldUntil: number;
  readonly inHand: boolean;
}

/** All messages in one array, which every question filters and sorts. */
class Model {
  messages: readonly ModelMessage[] = [];
  readonly parks = new Map<string, number>();

  heads(): readonly ModelMessage[] {
    return this.messages.filter((one) => one === this.lane(one.lane)[0]);
  }

  lane(lane: string): readonly ModelMessage[] {
    return this.messages.filter((one) => one.lane === lane);
  }

  rank(lane: string): number {
    return Math.min(...this.lane(lane).map(({ priority }) => priority));
  }

  ready(priority: number, by: number): readonly ModelMessage[] {
    return this.heads()
      .filter((one) => !one.inHand && this.rank(one.lane) === priority && one.heldUntil <= by)
      .toSorted((a, b) => a.heldUntil - b.heldUntil || a.id - b.id);
  }

  change(id: number, change: Partial<ModelMessage>): void {
    this.messages = this.messages.map((one) => (one.id === id ? { ...one, ...change } : one));
  }

  /** The instant a message becomes available when it becomes the head of its lane. */
  entry(lane: string, availableAt: number): number {
    return Math.max(availableAt, this.parks.get(lane) ?? 0);
  }

  /** Gives a new head the instant of its entry. */
  enter(lane: string): void {
    const [head] = this.lane(lane);
    if (head) this.change(head.id, { heldUntil: this.entry(lane, head.availableAt) });
  }
}

const laneNames = ["a", "b", "c", "d", "e"];
const instant = fc.integer({ min: 0, max: 20 });
const lane = fc.constantFrom(...laneNames);
const priority = fc.integer({ min: 0, max: 2 });
const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      lane,
      priority,
      availableAt: instant,
      suspicion: fc.integer({ min: 0, max: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("look" as const),
      priority,
      by: instant,
      withSuspects: fc.boolean(),
      verdicts: fc.array(fc.constantFrom("take", "take", "end", 5, 15), { maxLength: 4 }),
    }),
  },
  fc.record({
    kind: fc.constant("suspects" as const),
    by: instant,
    verdicts: fc.array(fc.constantFrom("take", "end", 5, 15), { maxLength: 2 }),
  }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), pick: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("give-back" as const),
      pick: fc.nat(),
      availableAt: instant,
      suspicion: fc.integer({ min: 0, max: 2 }),
      attempts: fc.integer({ min: 0, max: 1 }),
    }),
  },
  fc.record({ kind: fc.constant("remove-waiting" as const), lane, pick: fc.nat() }),
  fc.record({ kind: fc.constant("release" as const), lane, now: instant }),
  fc.record({ kind: fc.constant("park" as const), lane, until: instant }),
  fc.record({ kind: fc.constant("sweep" as const), now: instant }),
);

test("any sequence of calls shows the same heads in the same order as a naive model", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80, size: "max" }), (commands) => {
      const lanes = new Lanes();
      const model = new Model();
      let lastId = 0;
      for (const one of commands) {
        switch (one.kind) {
          case "add": {
            const message = { ...waiting(++lastId, one), createdAt: lastId };
            lanes.add(one.lane, message);
            const heldUntil = model.entry(one.lane, one.availableAt);
            model.messages = [
              ...model.messages,
              { ...message, lane: one.lane, heldUntil, inHand: false },
            ];
            break;
          }
          case "look": {
            const { by, priority: wanted, verdicts, withSuspects } = one;
            const look = { priority: wanted, availableBy: by, withSuspects, headsMax: 3 };
            const expected = model
              .ready(wanted, by)
              .filter(({ suspicion }) => withSuspects || suspicion === 0);
            const shown = showAll(verdicts, (decide) => lanes.look(look, decide), by);
            expect(shown).toEqual(settle(model, expected.slice(0, 3), verdicts, by));
            break;
          }
          case "suspects": {
            const { by, verdicts } = one;
            const expected = [0, 1, 2]
              .flatMap((rank) => model.ready(rank, by))
              .filter(({ suspicion }) => suspicion > 0)
              .toSorted((a, b) => a.suspicion - b.suspicion || a.id - b.id);
            const look = (decide: Decide) => lanes.lookAtSuspects(by, 3, decide);
            const shown = showAll(verdicts, look, by);
            expect(shown).toEqual(settle(model, expected.slice(0, 3), verdicts, by));
            break;
          }
          case "remove": {
            const held = pickHeld(model, one.pick);
            if (!held) break;
            lanes.remove(held.lane, held.id);
            model.messages = model.messages.filter(({ id }) => id !== held.id);
            model.enter(held.lane);
            break;
          }
          case "give-back": {
            const held = pickHeld(model, one.pick);
            if (!held) break;
            const { attempts, availableAt, suspicion } = one;
            lanes.giveBack(held.lane, { id: held.id, availableAt, suspicion, attempts });
            const heldUntil = model.entry(held.lane, availableAt);
            model.change(held.id, { availableAt, heldUntil, suspicion, attempts, inHand: false });
            break;
          }
          case "remove-waiting": {
            const inLane = model.lane(one.lane);
            const chosen = inLane[one.pick % Math.max(1, inLane.length)];
            const removed = lanes.removeWaiting(one.lane, chosen?.id ?? 0);
            expect(removed).toBe(chosen !== undefined && !chosen.inHand);
            if (!removed) break;
            model.messages = model.messages.filter(({ id }) => id !== chosen?.id);
            if (chosen === inLane[0]) model.enter(one.lane);
            break;
          }
          case "release": {
            const [head] = model.lane(one.lane);
            const waits = head !== undefined && !head.inHand && head.heldUntil > one.now;
            expect(lanes.release(one.lane, one.now)).toBe(waits ? head.id : undefined);
            if (!waits) break;
            model.parks.delete(one.lane);
            model.change(head.id, { heldUntil: one.now });
            break;
          }
          case "park":
            lanes.park(one.lane, one.until);
            model.parks.set(one.lane, model.entry(one.lane, one.until));
            break;
          case "sweep":
            lanes.sweep(one.now);
            for (const [name, until] of model.parks) if (until <= one.now) model.parks.delete(name);
            break;
        }
        expectSame(lanes, model);
      }
    }),
    { numRuns: 500 },
  );
});

/** Shows heads with these verdicts; when there are no more, "end". */
function showAll(
  verdicts: readonly (string | number)[],
  look: (decide: (id: number) => Verdict) => void,
  by: number,
): number[] {
  const shown: number[] = [];
  look((id) => {
    const verdict = verdicts[shown.length] ?? "end";
    shown.push(id);
    return typeof verdict === "number" ? { notBefore: by + verdict } : (verdict as Verdict);
  });
  return shown;
}

function settle(
  model: Model,
  heads: readonly ModelMessage[],
  verdicts: readonly (string | number)[],
  by: number,
): number[] {
  const shown: number[] = [];
  for (const { id } of heads) {
    const verdict = verdicts[shown.length] ?? "end";
    shown.push(id);
    if (verdict === "take") model.change(id, { inHand: true });
    else if (typeof verdict === "number") model.change(id, { heldUntil: by + verdict });
    else break;
  }
  return shown;
}

function pickHeld(model: Model, pick: number): ModelMessage | undefined {
  const held = model.messages.filter(({ inHand }) => inHand);
  return held[pick % Math.max(1, held.length)];
}

function expectSame(lanes: Lanes, model: Model): void {
  const free = model.heads().filter(({ inHand }) => !inHand);
  const held = model.messages.filter(({ inHand }) => inHand).map(({ id }) => id);
  const least = (numbers: readonly number[]) =>
    numbers.length === 0 ? undefined : Math.min(...numbers);
  expect({
    size: lanes.size,
    count: lanes.count,
    inHand: [...lanes.inHand].toSorted((a, b) => a - b),
    next: lanes.nextAvailableAt,
    oldest: lanes.oldestCreatedAt,
    lengths: laneNames.map((name) => lanes.length(name)),
    waiting: lanes
      .waiting(10, 9)
      .map(({ lane: name, parked }) => [name, parked])
      .toSorted(),
  }).toEqual({
    size: model.messages.length,
    count: new Set(model.messages.map((one) => one.lane)).size,
    inHand: held,
    next: least(free.map(({ heldUntil }) => heldUntil)),
    oldest: least(model.messages.map(({ createdAt }) => createdAt)),
    lengths: laneNames.map((name) => model.lane(name).length),
    waiting: free
      .filter(({ heldUntil }) => heldUntil > 10)
      .map((head) => ({ ...head, parked: (model.parks.get(head.lane) ?? 0) > 10 }))
      .filter(({ attempts, parked }) => parked || attempts > 0)
      .map(({ lane: name, parked }) => [name, parked])
      .toSorted(),
  });
}
