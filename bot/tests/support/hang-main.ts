/** The bot with a main thread that hangs when it is sent SIGUSR2, in the way `HANG` names. */
import { execSync } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { announce, launchForTest } from "./launch-for-test.ts";

const { HANG = "", ...env } = process.env;
const running = await launchForTest(env);

const hangs: Readonly<Record<string, () => void>> = {
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
};
process.on("SIGUSR2", () => setTimeout(() => hangs[HANG]?.(), 10));
announce(running);
