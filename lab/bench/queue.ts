/**
 * Queue bench: measures the store alone, with more and more messages waiting in it.
 *
 * `npm run bench:queue [-- --updates 5000 --waiting 0,10000,100000,1000000 --lanes 100000]`. Prints for
 * each number of waiting messages the processor time of one update (queued, claimed, done with a reply;
 * reply claimed, done), the memory that a waiting message takes, and how long the next start reads. An
 * update is measured in groups of 10, so that a commit is shared as in a bot at full speed. Processor
 * time is compared, because other work on the machine stretches everything else.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { systemClock } from "../../bot/core/clock.ts";
import type { EncryptionKeys } from "../../bot/core/encryption-keys.ts";
import type { Message, NewMessage, Pool } from "../../bot/core/message.ts";
import { Secret } from "../../bot/core/secret.ts";
import { SqliteStore } from "../../bot/storage/sqlite/sqlite-store.ts";
import { parsedOrEnd, wholeNumber, wholeNumbers } from "./bench-arguments.ts";

interface Figures {
  readonly updateUs: number;
  readonly bytesPerMessage: number;
  readonly startMs: number;
}

const usage = `npm run bench:queue [-- --updates N --waiting N[,N] --lanes N]
`;

const given = parsedOrEnd(() => {
  const { values } = parseArgs({
    options: {
      updates: { type: "string", default: "5000" },
      waiting: { type: "string", default: "0,10000,100000,1000000" },
      lanes: { type: "string", default: "100000" },
      /** Measures one number of waiting messages in this process. */
      one: { type: "string" },
    },
  });
  return {
    updates: wholeNumber("updates", values.updates, 1, 1_000_000),
    lanes: wholeNumber("lanes", values.lanes, 1, 10_000_000),
    waiting: wholeNumbers("waiting", values.waiting, 0, 10_000_000),
    one: values.one === undefined ? undefined : wholeNumber("one", values.one, 0, 10_000_000),
  };
}, usage);
const { lanes, updates } = given;
const group = 10;
const text = "x".repeat(200);
let updateId = 0;

const key = new Secret(Buffer.alloc(32, "bench").toString("base64"));
const keys: EncryptionKeys = { find: () => key, previous: undefined, create: () => key };

if (given.one === undefined) compare();
else console.log(JSON.stringify(await measure(given.one)));

/** Measures each number in a process of its own, so that none finds the memory of another. */
function compare(): void {
  let empty: number | undefined;
  const self = fileURLToPath(import.meta.url);
  for (const waiting of given.waiting) {
    const numbers = { "--updates": updates, "--lanes": lanes, "--one": waiting };
    const words = Object.entries(numbers).flatMap(([option, value]) => [option, String(value)]);
    const printed = execFileSync(process.execPath, [self, ...words], { encoding: "utf8" });
    const { bytesPerMessage, startMs, updateUs } = JSON.parse(printed) as Figures;
    empty ??= updateUs;
    const ratio = (updateUs / empty).toFixed(2);
    const memory = waiting === 0 ? "" : `, ${bytesPerMessage} bytes a waiting message`;
    console.log(
      `${waiting} waiting: ${updateUs} µs an update (${ratio}), start ${startMs} ms${memory}`,
    );
  }
}

async function measure(waiting: number): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), "queue-bench-"));
  try {
    const first = await open(directory);
    const before = memoryInUse();
    await fill(first, waiting);
    const bytesPerMessage = Math.round((memoryInUse() - before) / Math.max(1, waiting));
    await run(first, updates / 5);
    const startedUs = processorUs();
    await run(first, updates);
    const updateUs = Math.round((processorUs() - startedUs) / updates);
    await first.close();
    const startedMs = performance.now();
    const second = await open(directory);
    await second.depth("sending");
    const startMs = Math.round(performance.now() - startedMs);
    await second.close();
    return { updateUs, bytesPerMessage, startMs };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function open(directory: string): Promise<SqliteStore> {
  const store = new SqliteStore({
    directory,
    keys,
    clock: systemClock,
    publish: () => {},
    onFatal: (error) => {
      throw error;
    },
    tableSets: [],
    backupsKept: 1,
    dedupeKeepMs: 3_600_000,
    laneLengthMax: 100_000,
  });
  await store.open();
  return store;
}

/** Queues a broadcast that waits behind everything else. */
async function fill(store: SqliteStore, waiting: number): Promise<void> {
  for (let queued = 0; queued < waiting; queued += 1_000) {
    const count = Math.min(1_000, waiting - queued);
    const one = (n: number): NewMessage => ({
      ...send(`chat:${10_000_000_000 + ((queued + n) % lanes)}`),
      type: "broadcast",
      priority: "low",
    });
    await store.enqueue(Array.from({ length: count }, (_, n) => one(n)));
  }
}

async function run(store: SqliteStore, count: number): Promise<void> {
  for (let n = 0; n < count; n += group) {
    const received = Array.from({ length: group }, (_, i) => update(n + i));
    const [, handled] = await Promise.all([store.enqueue(received), claim(store, "handling")]);
    const ends = handled.map((message) => done(store, message, [send(message.lane)]));
    const [sent] = await Promise.all([claim(store, "sending"), ...ends]);
    await Promise.all(sent.map((message) => done(store, message, [])));
  }
}

function update(n: number): NewMessage {
  return {
    type: "update",
    pool: "handling",
    lane: `chat:${n % 500}`,
    priority: "normal",
    payload: { update_id: updateId, message: { text } },
    dedupeKeys: [`update:1:${updateId++}`],
  };
}

function send(lane: string): NewMessage {
  const payload = { method: "sendMessage", payload: { chat_id: 1, text } };
  return { type: "send", pool: "sending", lane, priority: "normal", payload };
}

function claim(store: SqliteStore, pool: Pool): Promise<readonly Message[]> {
  return store.claim({
    pool,
    limit: group,
    agedLimit: 0,
    agedBefore: { normal: 0, low: 0 },
    suspects: "with",
    admit: () => "take",
  });
}

function done(store: SqliteStore, { claims, id }: Message, enqueue: readonly NewMessage[]) {
  return store.finish({ messageId: id, claims }, { kind: "done", enqueue });
}

function processorUs(): number {
  const { system, user } = process.cpuUsage();
  return system + user;
}

/** JavaScript's memory after a collection, without SQLite's cache of pages. */
function memoryInUse(): number {
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return arrayBuffers + heapUsed;
}
