/**
 * Monitoring bench: measures how health requests slow down the bot's users.
 *
 * `npm run bench:monitoring [-- --seconds 30 --rounds 3 --rate 100 --requests 500]`. A real bot answers
 * `rate` updates a second; every other turn adds `requests` requests a second to `/api/health`.
 * The sandbox measures latency from an update's creation to the execution of its reply. Turns alternate,
 * so that changes of the machine's load affect both; compare the median of the pairs' ratios.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Pool } from "undici";
import { type SandboxClient, sandboxClient } from "../../sandbox/client.ts";
import { ensureSandbox, freePort } from "../../sandbox/ensure.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "30" },
    rounds: { type: "string", default: "3" },
    rate: { type: "string", default: "100" },
    requests: { type: "string", default: "500" },
  },
});
const turnMs = Number(values.seconds) * 1_000;
const rounds = Number(values.rounds);
const updatesPerSecond = Number(values.rate);
const requestsPerSecond = Number(values.requests);
/** Each turn has chats of its own, so that a reply identifies its update. */
const firstChatId = 1_000_000;
const settleMs = 2_000;

interface Turn {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Health requests by status code; empty when there were none. */
  readonly statusCounts: Readonly<Record<string, number>>;
}

const directory = mkdtempSync(join(tmpdir(), "monitoring-bench-"));
const started = await ensureSandbox({ port: 0, arguments: ["--flood", "off", "--no-pacing"] });
const sandbox = sandboxClient(started.url);
const monitoringPort = await freePort("127.0.0.1");
const bot = spawn(
  process.execPath,
  [fileURLToPath(new URL("../../bot/start.ts", import.meta.url))],
  {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "production",
      LOG_LEVEL: "error",
      TELEGRAM_BOT_TOKEN: started.token,
      TELEGRAM_API_ROOT: started.url,
      DATA_DIR: join(directory, "data"),
      LOG_DIR: join(directory, "logs"),
      MONITORING_PORT: String(monitoringPort),
      FLOOD_LIMITS_ENABLED: "false",
    },
  },
);
const pool = new Pool(`http://127.0.0.1:${monitoringPort}`, { connections: 16 });
let chats = firstChatId;
try {
  await run();
} finally {
  bot.kill("SIGKILL");
  await pool.close();
  await started.stop();
  rmSync(directory, { recursive: true, force: true });
}

async function run(): Promise<void> {
  await takeTurn(sandbox, false, 5_000);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const alone = await takeTurn(sandbox, false, turnMs);
    const beside = await takeTurn(sandbox, true, turnMs);
    ratios.push(beside.p99Ms / alone.p99Ms);
    print(`round ${round}: alone ${describe(alone)}; beside requests ${describe(beside)}`);
    print(`         status codes ${JSON.stringify(beside.statusCounts)}`);
  }
  const middle = ratios.toSorted((one, other) => one - other)[Math.floor(ratios.length / 2)] ?? 0;
  const change = (middle - 1) * 100;
  print(
    `\n${updatesPerSecond} updates/s, ${requestsPerSecond} requests/s on /api/health: ` +
      `p99 changes by ${change.toFixed(1)} % (median of ${rounds} pairs)`,
  );
}

async function takeTurn(control: SandboxClient, asking: boolean, lengthMs: number): Promise<Turn> {
  const [firstChat, journalFrom] = [chats, await lastSequence(control)];
  const statusCounts: Record<string, number> = {};
  const writing = paced(lengthMs, updatesPerSecond, async () => {
    await control.write({ userId: chats++, text: "/help" });
  });
  const requesting = asking
    ? paced(lengthMs, requestsPerSecond, async () => {
        const { statusCode, body } = await pool.request({ path: "/api/health", method: "GET" });
        await body.dump();
        statusCounts[statusCode] = (statusCounts[statusCode] ?? 0) + 1;
      })
    : undefined;
  await Promise.all([writing, requesting]);
  await pause(settleMs);
  return { ...(await latencies(control, firstChat, journalFrom)), statusCounts };
}

/** Calls `act` this often a second, however long each call takes, and waits for all. */
async function paced(lengthMs: number, perSecond: number, act: () => Promise<void>): Promise<void> {
  const startedAtMs = performance.now();
  const calls: Promise<void>[] = [];
  while (performance.now() - startedAtMs < lengthMs) {
    const due = ((performance.now() - startedAtMs) / 1_000) * perSecond;
    while (calls.length < due) calls.push(act());
    await pause(2);
  }
  await Promise.all(calls);
}

async function latencies(control: SandboxClient, firstChat: number, after: number) {
  const repliedAtMs = new Map<number, number>();
  for (const { chatId, executedAtMs, method } of await control.journalAll({ after })) {
    if (method === "sendMessage" && chatId !== null && executedAtMs !== null) {
      repliedAtMs.set(chatId, executedAtMs);
    }
  }
  const took = (await allFacts(control)).flatMap(({ chatId, createdAtMs }) => {
    const atMs = chatId === null || chatId < firstChat ? undefined : repliedAtMs.get(chatId);
    return atMs === undefined ? [] : [atMs - createdAtMs];
  });
  const sorted = took.sort((one, other) => one - other);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  if (sorted.length < chats - firstChat) {
    throw new Error(`${chats - firstChat} updates, but only ${sorted.length} replies`);
  }
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function allFacts(control: SandboxClient) {
  const facts = [];
  for (let after = 0; ; ) {
    const page = await control.facts({ after, limit: 5_000 });
    facts.push(...page);
    const last = page.at(-1);
    if (!last || page.length < 5_000) return facts;
    after = last.sequence;
  }
}

async function lastSequence(control: SandboxClient): Promise<number> {
  return (await control.journalAll()).at(-1)?.sequence ?? 0;
}

function describe({ p50Ms, p99Ms }: Turn): string {
  return `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
