/**
 * Bench: measures durable updates a second, end to end, beside bare Telegraf in the same run.
 *
 * `npm run bench [-- --updates 10000 --runs 3]`. The sandbox, the bot and the peer are processes of
 * their own; both answer every update with one message, without limits and pacing. Runs alternate, so
 * that changes of the machine's load affect both; compare the medians and their ratio.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type SandboxClient, sandboxClient } from "../../sandbox/client.ts";
import { ensureSandbox } from "../../sandbox/ensure.ts";

interface Figures {
  readonly updatesPerSecond: number;
  readonly rssMb: number;
}

interface Contender {
  readonly name: string;
  readonly file: string;
}

const contenders: readonly Contender[] = [
  { name: "this bot, durable (synchronous=FULL)", file: "../../bot/start.ts" },
  { name: "bare Telegraf polling, in memory", file: "../drill/peers/telegraf-peer.ts" },
];

const { values } = parseArgs({
  options: {
    updates: { type: "string", default: "10000" },
    runs: { type: "string", default: "3" },
  },
});
const updates = Number(values.updates);
const runs = Number(values.runs);
const chats = 500;

const results = new Map<Contender, Figures[]>(contenders.map((contender) => [contender, []]));
for (let run = 1; run <= runs; run++) {
  for (const contender of contenders) {
    const figures = await measure(contender);
    results.get(contender)?.push(figures);
    const { rssMb, updatesPerSecond } = figures;
    print(
      `run ${run}: ${contender.name}: ${updatesPerSecond.toFixed(0)}/s, ${rssMb.toFixed(0)} MB`,
    );
  }
}
report();

async function measure({ file }: Contender): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), "bot-bench-"));
  const sandbox = await ensureSandbox({
    port: 0,
    arguments: ["--flood", "off", "--no-pacing"],
  });
  const child = startProcess(file, directory, sandbox.url, sandbox.token);
  try {
    return await feedAndTime(sandboxClient(sandbox.url), child);
  } finally {
    child.kill("SIGKILL");
    await sandbox.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function startProcess(file: string, directory: string, apiRoot: string, token: string) {
  return spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url))], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "production",
      LOG_LEVEL: "error",
      TELEGRAM_BOT_TOKEN: token,
      TELEGRAM_API_ROOT: apiRoot,
      DATA_DIR: join(directory, "data"),
      LOG_DIR: join(directory, "logs"),
      MONITORING_PORT: "0",
      FLOOD_LIMITS_ENABLED: "false",
      QUEUE_LENGTH_MAX: "1000000",
    },
  });
}

/** Warms up with a tenth, then measures from the feed to the last reply by the sandbox's clock. */
async function feedAndTime(sandbox: SandboxClient, child: ChildProcess): Promise<Figures> {
  await sandbox.feed({ count: updates / 10, users: chats, text: "/help" });
  const warm = await waitForReplies(sandbox, 0, updates / 10);
  const startedAtMs = (await sandbox.describe()).nowMs;
  await sandbox.feed({ count: updates, users: chats, text: "/help" });
  const last = await waitForReplies(sandbox, warm.sequence, updates);
  const seconds = (last.atMs - startedAtMs) / 1000;
  return { updatesPerSecond: updates / seconds, rssMb: peakRssMb(child) };
}

/** Waits for `count` replies after a sequence number of the journal. */
async function waitForReplies(sandbox: SandboxClient, after: number, count: number) {
  let sequence = after;
  let atMs = 0;
  for (let seen = 0; seen < count; ) {
    const page = await sandbox.journal({ after: sequence, method: "sendMessage", limit: 5_000 });
    for (const entry of page) {
      if (entry.executedAtMs === null) continue;
      seen++;
      sequence = entry.sequence;
      atMs = entry.executedAtMs;
    }
    // Ask rarely, so that asking does not slow the sandbox down.
    if (page.length < 5_000) await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return { sequence, atMs };
}

/** Peak resident memory; 0 where there is no /proc. Source: proc(5), VmHWM. */
function peakRssMb({ pid }: ChildProcess): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    // Only Linux has /proc; elsewhere the figure is left out.
    return 0;
  }
}

function report(): void {
  print(`\n${updates} updates in ${chats} chats, one reply each, medians of ${runs} runs`);
  for (const [contender, figures] of results) {
    const rate = median(figures.map((figure) => figure.updatesPerSecond));
    const rssMb = median(figures.map((figure) => figure.rssMb));
    print(`${contender.name}: ${rate.toFixed(0)} updates/s, peak ${rssMb.toFixed(0)} MB`);
  }
  const [ours = 0, peer = 0] = [...results.values()].map((figures) =>
    median(figures.map((figure) => figure.updatesPerSecond)),
  );
  print(`ratio: ${(ours / peer).toFixed(2)}`);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
