import { expect, test } from "vitest";
import { seededRandom } from "../../sandbox/random.ts";
import { type UpdateEnd, UpdateQueue } from "../../sandbox/updates/update-queue.ts";

function setup(count = 5, random = seededRandom(1)) {
  const ended: string[] = [];
  const onEnd = (id: number, end: UpdateEnd) => ended.push(`${id - first}:${end}`);
  const queue = new UpdateQueue({ random, onEnd });
  const first = queue.nextId;
  for (let number = 0; number < count; number++) queue.add((id) => `{"id":${id}}`, 1_000);
  const read = (offset: number, limit = 100, nowMs = 0) =>
    queue.read(offset, limit, nowMs).map(({ id }) => id - first);
  return { queue, first, ended, read };
}

test("the first id is random between 2,000,001 and 1,000,000,000, then ids go up by one", () => {
  for (let seed = 0; seed < 50; seed++) {
    const { first, queue } = setup(3, seededRandom(seed));
    expect(first).toBeGreaterThanOrEqual(2_000_001);
    expect(first).toBeLessThanOrEqual(1_000_000_000);
    expect(queue.nextId).toBe(first + 3);
  }
});

// Five updates are pending, 0 to 4; offsets count from the first of them, the tail is 5.
test.for([
  { title: "0 returns all and confirms nothing", offset: "zero", got: [0, 1, 2, 3, 4], left: 5 },
  { title: "the first id confirms nothing", offset: 0, got: [0, 1, 2, 3, 4], left: 5 },
  { title: "a later id confirms what is below", offset: 2, got: [2, 3, 4], left: 3 },
  { title: "the last id leaves one", offset: 4, got: [4], left: 1 },
  { title: "the tail confirms all", offset: 5, got: [], left: 0 },
  { title: "tail + 10 confirms all", offset: 15, got: [], left: 0 },
  { title: "tail + 11 is ignored", offset: 16, got: [0, 1, 2, 3, 4], left: 5 },
  { title: "head - 100,000 is in range", offset: -100_000, got: [0, 1, 2, 3, 4], left: 5 },
  { title: "head - 100,001 counts as 0", offset: -100_001, got: [0, 1, 2, 3, 4], left: 5 },
] as const)("offset: $title", ({ offset, got, left }) => {
  const { queue, first, read } = setup();
  expect(read(offset === "zero" ? 0 : first + offset)).toEqual(got);
  expect(queue.pending).toBe(left);
});

test.for([
  { offset: -1, got: [4] },
  { offset: -3, got: [2, 3, 4] },
  { offset: -9, got: [0, 1, 2, 3, 4] },
])("offset $offset drops all but the last of them", ({ offset, got }) => {
  const { read, ended } = setup();
  expect(read(offset)).toEqual(got);
  expect(ended).toHaveLength(5 - got.length);
});

test("reading the same offset again returns the same updates", () => {
  const { first, read } = setup();
  expect(read(first + 1, 2)).toEqual([1, 2]);
  expect(read(first + 1, 2)).toEqual([1, 2]);
});

test("an offset on an empty queue changes nothing", () => {
  const { queue, first, read } = setup(0);
  expect([read(0), read(-5), read(first + 10), read(first + 11)]).toEqual([[], [], [], []]);
  expect(queue.nextId).toBe(first);
});

test("updates that come below an offset ahead of the tail are discarded when it is read again", () => {
  const { queue, first, read, ended } = setup(0);
  expect(read(first + 3)).toEqual([]);
  queue.add(() => "{}", 1_000);
  queue.add(() => "{}", 1_000);
  expect(read(first + 3)).toEqual([]);
  expect(ended).toEqual(["0:confirmed", "1:confirmed"]);
});

test("expired updates are deleted on the way", () => {
  const { queue, read, ended } = setup(2);
  queue.add(() => "{}", 5_000);
  expect(read(0, 100, 1_000)).toEqual([2]);
  expect(ended).toEqual(["0:expired", "1:expired"]);
  expect(queue.pending).toBe(1);
});

test("an answer is cut when it grows beyond 4 MiB", () => {
  const { queue, read } = setup(0);
  for (let number = 0; number < 12; number++) queue.add(() => "x".repeat(500_000), 1_000);
  expect(read(0)).toHaveLength(8);
  expect(queue.pending).toBe(12);
});

test("an update beyond 512 KiB, or beyond 100,000 pending, is dropped without an id", () => {
  const { queue, first } = setup(0);
  expect(queue.add(() => "x".repeat(600_000), 1_000)).toBeUndefined();
  expect(queue.nextId).toBe(first);
  for (let number = 0; number < 100_000; number++) queue.add(() => "{}", 1_000);
  expect(queue.add(() => "{}", 1_000)).toBeUndefined();
});

test("at two thousand million the queue is cleared and starts again", () => {
  const { queue, ended } = setup(1);
  queue.jump(2_000_000_000);
  const id = queue.add(() => "{}", 1_000);
  expect(id).toBeLessThanOrEqual(1_000_000_000);
  expect(ended).toEqual(["0:dropped"]);
});

test("ids jump downwards only when nothing is pending", () => {
  const { queue, first, read } = setup(2);
  expect(queue.jump(first)).toBe(false);
  expect(queue.jump(first + 500)).toBe(true);
  read(first + 500);
  expect(queue.jump(7)).toBe(true);
  expect(queue.add(() => "{}", 1_000)).toBe(7);
});

test("confirming in many small steps keeps the order", () => {
  const { first, read } = setup(5_000);
  for (let offset = 0; offset < 5_000; offset += 7) {
    expect(read(first + offset, 1)).toEqual([offset]);
  }
});
