/** API under test: a monitoring server over a bot that says and does what a test wishes. */
import { request } from "node:http";
import { onTestFinished } from "vitest";
import { EventStream } from "../../bot/api/event-stream.ts";
import { MonitoringServer, type MonitoringServerDeps } from "../../bot/api/monitoring.ts";
import type { holds } from "../../bot/api/shapes/holds.ts";
import type { delayedList } from "../../bot/api/shapes/queue.ts";
import type { MonitoringActions, MonitoringView, Shape } from "../../bot/api/view-and-actions.ts";
import type { BotEvent } from "../../bot/core/events.ts";
import { Secret } from "../../bot/core/secret.ts";
import { forEveryColumn } from "../../bot/core/series.ts";
import type { PanelContent } from "../../bot/kit/panel.ts";
import { ManualClock } from "../support/manual-clock.ts";

export const operateToken = "operate-0123456789";
export const readToken = "read-0123456789";
export const timestamp = "2026-01-01T00:00:00.000Z";

/** A process that shares the database. */
export const sharing = {
  number: 7,
  host: "one",
  pid: 12,
  version: "1.0.0",
  startedAtEpochMs: 1,
  beatAtEpochMs: 2,
  state: "alive",
  self: false,
  health: "healthy",
  roles: [{ role: "sending", sinceEpochMs: 1 }],
} as const;

/** What a healthy bot without a past shows. */
export const view: MonitoringView = {
  live: () => ({ live: true, uptimeSeconds: 1 }),
  ready: () => ({ ready: true, phase: "running", reasons: [] }),
  health: () => ({ status: "healthy", timestamp: "t", checks: {} }),
  healthHistory: () => ({ probes: {} }),
  status: () => ({ ...status, components: [component("polling", true), component("storage")] }),
  metrics: () => metrics,
  prometheus: async () => "# HELP bot_up 1 while it is.\n# TYPE bot_up gauge\nbot_up 1\n",
  series: () => ({ everyMs: 5_000, atEpochMs: [], columns, marks: [] }),
  messageQueue: async () => messageQueue,
  delayed: ({ limit, offset }) => ({ total: 1, offset, limit, delayed: [delayedMessage] }),
  holds: () => ({ holds: [hold] }),
  connections: () => ({ connections: {}, pool }),
  errors: () => ({ groups: [] }),
  incidents: () => ({ open: 0, incidents: [] }),
  restarts: () => ({ restarts: [] }),
  logs: () => ({ level: "info", lines: [] }),
  processes: () => ({ processes: [sharing] }),
  deadLetters: async ({ limit, offset }) => ({ total: 1, offset, limit, deadLetters: [letter] }),
  deadLetter: async (id) =>
    id === letter.id ? { ...letter, payload: { text: "private words" } } : undefined,
  panels: () => [panel],
};

/** Does nothing, and remembers what it was asked for. */
export function recordingActions(asked: unknown[]): MonitoringActions {
  const note = (...what: unknown[]) => {
    asked.push(what);
  };
  return {
    restartProcess: (detail) => {
      note("restartProcess", detail);
      return asked.filter((what) => Array.isArray(what) && what[0] === "restartProcess").length < 2;
    },
    askRestart: async (number) => {
      note("askRestart", number);
      return number === sharing.number;
    },
    restartComponent: (name, cause) => note("restartComponent", name, cause),
    setPaused: async (pool, paused) => note("setPaused", pool, paused),
    runNow: async (id) => {
      note("runNow", id);
      return id === delayedMessage.id;
    },
    requeue: async (id) => {
      note("requeue", id);
      return id === letter.id ? 100 : undefined;
    },
    deleteDeadLetter: async (id) => {
      note("deleteDeadLetter", id);
      return id === letter.id;
    },
    releaseHold: async (id) => {
      note("releaseHold", id);
      if (id === "disk-full:handling") return "not-releasable";
      return id === hold.id ? "released" : "unknown";
    },
    setLogLevel: (level) => note("setLogLevel", level),
    backup: async () => ({ file: "backup.db", bytes: 1, durationMs: 1 }),
    rotateKey: async () => ({ keyId: 2 }),
  };
}

export interface Wishes {
  readonly view?: Partial<MonitoringView>;
  readonly actions?: Partial<MonitoringActions>;
  readonly host?: string;
  readonly hostNames?: readonly string[];
  readonly tokens?: MonitoringServerDeps["tokens"];
}

export function serverDeps(wishes: Wishes = {}) {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const asked: unknown[] = [];
  const stream = new EventStream({ clock });
  const deps: MonitoringServerDeps = {
    host: wishes.host ?? "127.0.0.1",
    ...(wishes.hostNames && { hostNames: wishes.hostNames }),
    port: 0,
    clock,
    publish: (event) => events.push(event),
    view: { ...view, ...wishes.view },
    actions: { ...recordingActions(asked), ...wishes.actions },
    stream,
    tokens:
      wishes.tokens ??
      (() => ({ operate: [new Secret(operateToken)], read: [new Secret(readToken)] })),
    version: "1.2.3",
  };
  return { asked, clock, deps, events, stream };
}

export async function setupApi(wishes: Wishes = {}) {
  const { deps, ...rest } = serverDeps(wishes);
  const server = new MonitoringServer(deps);
  await server.start();
  onTestFinished(async () => {
    const stopping = server.stop();
    await rest.clock.advance(1_000);
    await stopping;
  });
  const { port } = server.address();
  return { ...rest, port, server, call: (options: CallOptions = {}) => call(port, options) };
}

export interface CallOptions {
  readonly path?: string;
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly token?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** One request over a connection of its own, with whatever `Host` is wished. */
export function call(port: number, options: CallOptions): Promise<Answer> {
  const { path = "/api/health", method = "GET", host, headers, body, token } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        agent: false,
        headers: {
          host: host ?? `localhost:${port}`,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-length": String(Buffer.byteLength(body)) }),
          ...headers,
        },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => {
          const isJson = /json/.test(response.headers["content-type"] ?? "") && text !== "";
          const json = isJson ? JSON.parse(text) : {};
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

// ---- what the bot shows ---------------------------------------------------------------------------

function component(name: string, restartable = false) {
  return { name, state: "alive", restartable, restarts: 0, overdueMs: 0 } as const;
}

const poolFigures = { waiting: 0, inHand: 0, lanes: 0, delayed: 0, oldestAgeMs: 0, paused: false };
const messageQueue = {
  pools: { handling: poolFigures, sending: poolFigures, answering: poolFigures },
  deadLetters: 1,
  dedupeKeys: 0,
  lengthMax: 10_000,
  counts: {
    queued: 1,
    duplicates: 0,
    done: 1,
    retried: 0,
    postponed: 0,
    dead: 1,
    expired: 0,
    recovered: 0,
  },
};
export const hold: Shape<typeof holds>["holds"][number] = {
  ...{ id: "chat-rate-limited:sending:chat:7", kind: "chat-rate-limited", target: "sending" },
  ...{ lane: "chat:7", limit: 0, reason: "Telegram limits this chat", sinceEpochMs: 1 },
  ...{ untilEpochMs: 2, waitedMs: 1, test: "its next send", releasable: true },
};
const pool = { connected: 1, running: 0, pending: 0, connectionsMax: 2, route: 0 };

const panelContent: PanelContent = {
  currency: { code: "CNY", exponent: 2 },
  figures: [
    { label: { en: "turnover", zh: "营业额" }, value: 123_450, form: "money" },
    { label: "best buyer", value: "Ann of figures", people: true },
  ],
  charts: [
    {
      title: "Sold a day",
      per: "day",
      bars: [0, 7, 3].map((value, day) => ({ atEpochMs: day * 86_400_000, value })),
    },
  ],
  tables: [
    {
      title: "Open orders",
      columns: [
        { label: "order" },
        { label: "buyer", people: true },
        { label: "sum", form: "money" },
      ],
      rows: [
        ["#1", "Ann of rows", 900, "beyond"],
        ["#2", "Bob of rows", null],
      ],
      total: 5,
    },
  ],
};

export const panel = {
  name: "sales",
  title: { en: "Sales", zh: "销售" },
  read: async (): Promise<unknown> => panelContent,
};

export const letter = {
  id: 7,
  type: "send",
  pool: "sending",
  lane: "1",
  priority: "normal",
  createdAtEpochMs: 1,
  diedAtEpochMs: 2,
  reason: "refused",
  attempts: 1,
  deaths: 0,
  errors: [{ code: "TELEGRAM_CHAT_GONE", message: "gone", atEpochMs: 2 }],
} as const;

export const delayedMessage: Shape<typeof delayedList>["delayed"][number] = {
  ...{ id: 7, type: "task", pool: "handling", lane: "schedule:report", key: "schedule:report" },
  ...{ createdAtEpochMs: 1, dueAtEpochMs: 2 },
};

const processFigures = {
  cpuPercent: 1,
  rssBytes: 1,
  memoryLimitBytes: 2,
  cpuLimitPercent: 80,
  cpuHighForMs: 0,
  loopDelayMs: 1,
  leak: { kind: "unknown" },
  uptimeMs: 1,
} as const;

export const status = {
  uptimeSeconds: 1,
  profile: "test",
  version: "1.2.3",
  node: "v24",
  pid: 1,
  memory: { rss: 1, heapTotal: 1, heapUsed: 1, external: 1, arrayBuffers: 1 },
  process: processFigures,
  components: [],
  intake: { state: "polling", failuresInARow: 0 },
  breaker: "closed",
  safeMode: { state: "off", deaths: 0, concurrency: 10 },
  incidents: [],
  errors: [],
  restarts: [],
} as const;

const spread = { count: 0, p50: 0, p95: 0, p99: 0 };
const metrics = {
  uptimeSeconds: 1,
  process: {
    pid: 1,
    rssBytes: 1,
    heapUsedBytes: 1,
    heapTotalBytes: 1,
    externalBytes: 1,
    cpuPercent: 1,
    loopDelayMs: 1,
  },
  queue: { waiting: 0, inHand: 0, oldestAgeMs: 0, deadLetters: 1, lengthMax: 10_000 },
  throughput: { receivedPerSecond: 0, handledPerSecond: 0, sentPerSecond: 0 },
  latency: { handling: spread, sending: spread },
};

const none: readonly number[] = [];
const columns = forEveryColumn(() => none);
