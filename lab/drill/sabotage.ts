/**
 * Sabotage: breaks the process into which it is loaded (`node --import`), so that production code has no
 * switch for it.
 *
 * On SIGUSR2 it reads an order from the file that `SABOTAGE` names, prints it on stderr, and obeys: it
 * hangs, leaks, throws an uncaught error, or kills the process at a chosen commit. Orders for handlers
 * are messages such as `/poison throw`, which break the handler that receives them.
 */
import { execSync } from "node:child_process";
import { readFileSync, writeSync } from "node:fs";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { isMainThread } from "node:worker_threads";
import { Telegraf } from "telegraf";

export type SabotageOrder =
  | { readonly kind: "hang"; readonly how: keyof typeof hangs }
  | { readonly kind: "leak" }
  | { readonly kind: "reject" }
  | { readonly kind: "throw" }
  /** Fills the heap, or memory outside of it, until the process is ended. */
  | { readonly kind: "exhaust"; readonly what: "heap" | "buffers" }
  /** Sends itself SIGKILL before or after the next commit that contains the step. */
  | { readonly kind: "die"; readonly when: "before" | "after"; readonly step: CommitStep }
  /** Delays every handler from now on, at random, by up to this many milliseconds. */
  | { readonly kind: "dawdle"; readonly upToMs: number };

/** The purpose of a commit. */
export type CommitStep =
  | "update stored"
  | "update claimed"
  | "durable step"
  | "update done"
  | "send claimed"
  | "send done";

/** Ways to hang. Only the last one ends without a kill. */
export const hangs = {
  "a tight loop": function spin() {
    for (;;);
  },
  "a regular expression": function match() {
    /^(a+)+$/.test(`${"a".repeat(60)}!`);
  },
  "a storm of promises": function storm() {
    const again = (): unknown => Promise.resolve().then(again);
    again();
  },
  "a wait for shared memory": function wait() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  "a runaway query": function query() {
    const sql =
      "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
    new DatabaseSync(":memory:").prepare(sql).get();
  },
  "a child process": function child() {
    execSync("sleep 600");
  },
  "a pause that ends": function pause() {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
  },
} as const satisfies Readonly<Record<string, () => void>>;

const kept: unknown[] = [];
let deadly: { readonly when: "before" | "after"; readonly step: CommitStep } | undefined;
let dawdleMs = 0;

function obey(order: SabotageOrder): void {
  writeSync(2, `sabotage: ${order.kind}\n`);
  switch (order.kind) {
    case "hang":
      setTimeout(hangs[order.how], 10);
      return;
    case "leak":
      leak();
      return;
    case "reject":
      void Promise.reject(new Error("this rejection is not handled"));
      return;
    case "throw":
      setTimeout(() => {
        throw new Error("this exception is not caught");
      });
      return;
    case "exhaust":
      setTimeout(() => exhaust(order.what), 10);
      return;
    case "die":
      deadly = order;
      return;
    case "dawdle":
      dawdleMs = order.upToMs;
      return;
  }
}

function leak(): void {
  kept.push(Buffer.alloc(8 * 2 ** 20, 1));
  setTimeout(leak, 100);
}

function exhaust(what: "heap" | "buffers"): void {
  for (;;) kept.push(what === "heap" ? new Array(2 ** 17).fill(1.5) : Buffer.alloc(2 ** 24, 1));
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

interface Statements {
  run(this: StatementSync, ...parameters: unknown[]): unknown;
}

/** Purposes of the open transaction. */
const steps = new Set<CommitStep>();

/** What was in hand at the last claim, by pool. */
const inHand: Record<string, ReadonlySet<number>> = {};

/** Wraps SQLite's statements, and finds out the purposes of each transaction. */
function watchCommits(): void {
  const statements = StatementSync.prototype as unknown as Statements;
  const { run } = statements;
  statements.run = function (...parameters) {
    const sql = this.sourceSQL;
    noteStep(sql, parameters);
    if (sql !== "COMMIT" || !deadly || !steps.has(deadly.step)) return run.apply(this, parameters);
    if (deadly.when === "before") die();
    const result = run.apply(this, parameters);
    die();
    return result;
  };
}

function noteStep(sql: string, parameters: readonly unknown[]): void {
  if (sql.startsWith("BEGIN")) steps.clear();
  if (sql.startsWith("INSERT INTO steps")) steps.add("durable step");
  if (sql.startsWith("INSERT INTO messages") && parameters.includes("update")) {
    steps.add("update stored");
  }
  if (sql.startsWith("INSERT INTO in_hand")) {
    const [pool, ids] = parameters as [string, string];
    const before = inHand[pool];
    const now = new Set(JSON.parse(ids) as number[]);
    inHand[pool] = now;
    if (![...now].some((id) => !before?.has(id))) return;
    if (pool === "handling") steps.add("update claimed");
    if (pool === "sending") steps.add("send claimed");
  }
  if (sql.startsWith("DELETE FROM messages")) {
    const ids = JSON.parse(String(parameters[0])) as number[];
    if (ids.some((id) => inHand["handling"]?.has(id))) steps.add("update done");
    if (ids.some((id) => inHand["sending"]?.has(id))) steps.add("send done");
  }
}

/** Effects of a message's text on its handler. */
const poisons: Readonly<Record<string, (argument: string) => unknown>> = {
  throw: () => {
    throw new Error("a handler with a defect");
  },
  reject: () => Promise.reject(new TypeError("a handler with another defect")),
  settle: () => new Promise(() => {}),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, Number(ms))),
  spin: () => hangs["a tight loop"](),
  exit: () => process.exit(1),
  kill: die,
  exhaust: () => exhaust("heap"),
};

/** Gives the handler the defect that a message orders. */
function poisonHandlers(): void {
  const { handleUpdate } = Telegraf.prototype;
  Telegraf.prototype.handleUpdate = async function (this: Telegraf, update, ...rest) {
    const text = "message" in update && "text" in update.message ? update.message.text : "";
    const [, name = "", argument = ""] = /^\/poison (\w+) ?(\d*)/.exec(text) ?? [];
    if (dawdleMs > 0) await new Promise((go) => setTimeout(go, Math.random() * dawdleMs));
    await poisons[name]?.(argument);
    return handleUpdate.call(this, update, ...rest);
  };
}

if (isMainThread && process.env["SABOTAGE"] !== undefined) {
  const orders = process.env["SABOTAGE"];
  watchCommits();
  poisonHandlers();
  process.on("SIGUSR2", () => obey(JSON.parse(readFileSync(orders, "utf8")) as SabotageOrder));
}
