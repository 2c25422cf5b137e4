/**
 * Sandbox bench: measures the sandbox's requests a second, and whether its memory stays bounded.
 *
 * `npm run bench:sandbox [-- --requests 50000 --updates 1000000]`. The sandbox is a process of its own,
 * on a processor of its own where `taskset` is installed.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { type SandboxClient, sandboxClient } from "../../sandbox/client.ts";
import { ensureSandbox } from "../../sandbox/ensure.ts";
import { parsedOrEnd, wholeNumber } from "./bench-arguments.ts";

const usage = `npm run bench:sandbox [-- --requests N --updates N]
`;

const { requests, updates } = parsedOrEnd(() => {
  const { values } = parseArgs({
    options: {
      requests: { type: "string", default: "50000" },
      updates: { type: "string", default: "1000000" },
    },
  });
  return {
    requests: wholeNumber("requests", values.requests, 1, 10_000_000),
    updates: wholeNumber("updates", values.updates, 1, 100_000_000),
  };
}, usage);
const connections = 50;
const chats = 1_000;
const batch = 10_000;

const started = await ensureSandbox({ port: 0, arguments: ["--flood", "off", "--no-pacing"] });
const sandbox = sandboxClient(started.url);
const { pid } = await sandbox.describe();
pinTo(pid, "1");
pinTo(process.pid, "0");
const pool = new Pool(started.url, { connections, pipelining: 1 });
try {
  await measureSpeed(sandbox);
  await measureMemory(sandbox);
} finally {
  await pool.close();
  await started.stop();
}

async function measureSpeed(control: SandboxClient): Promise<void> {
  await control.feed({ count: chats, users: chats, text: "hello" });
  const send = (n: number) => ({ chat_id: 1_000_001 + (n % chats), text: `message ${n}` });
  await time("warm-up", requests / 5, (n) => call("sendMessage", send(n)));
  await time("sendMessage", requests, (n) => call("sendMessage", send(n)));
  await time("getMe", requests, () => call("getMe", {}));
}

/** Takes and confirms every batch, as a bot does. */
async function measureMemory(control: SandboxClient): Promise<void> {
  let offset = 0;
  for (let fed = 0; fed < updates; fed += batch) {
    await control.feed({ count: batch, users: chats, text: "update {n}" });
    for (let taken = 0; taken < batch; ) {
      const { result } = (await call("getUpdates", { offset })) as { result: Updates };
      taken += result.length;
      offset = (result.at(-1)?.update_id ?? 0) + 1;
      await call("sendMessage", { chat_id: 1_000_001, text: `taken ${taken}` });
    }
    const done = fed + batch;
    if (done % (updates / 10) === 0) console.log(`${done} updates: ${residentMb()} MB`);
  }
}

type Updates = readonly { readonly update_id: number }[];

async function time(name: string, count: number, work: (n: number) => Promise<unknown>) {
  let next = 0;
  const startedMs = performance.now();
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - startedMs) / 1_000;
  console.log(`${name}: ${Math.round(count / seconds)} requests/s`);
}

async function call(method: string, parameters: object): Promise<unknown> {
  const { body } = await pool.request({
    method: "POST",
    path: `/bot${started.token}/${method}`,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(parameters),
  });
  return body.json();
}

function pinTo(process: number, processor: string): void {
  try {
    execFileSync("taskset", ["-acp", processor, String(process)], { stdio: "ignore" });
  } catch {
    console.log("taskset is not installed: the sandbox may use more than one processor");
  }
}

/** Resident memory; NaN where there is no Linux. */
function residentMb(): number {
  try {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Math.round(Number(kilobytes) / 1_024);
  } catch {
    return Number.NaN;
  }
}
