/** Monitoring view: collects what the API shows and does from all the parts. */

import { hostname } from "node:os";
import type { EventStream } from "../api/event-stream.ts";
import type { MonitoringActions, MonitoringView } from "../api/view-and-actions.ts";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { ProcessEntry } from "../core/processes.ts";
import { roles } from "../core/roles.ts";
import { forEveryColumn, type SeriesLook } from "../core/series.ts";
import type { Store } from "../core/store.ts";
import type { Panel } from "../kit/panel.ts";
import type { BackupSchedule } from "../storage/backups/backup-schedule.ts";
import type { Breaker } from "../telegram/delivery/breaker.ts";
import type { Intake } from "../telegram/intake/intake.ts";
import type { ErrorGroups } from "../telemetry/error-groups.ts";
import type { IncidentBook } from "../telemetry/incident-book.ts";
import type { Figures, Prometheus } from "../telemetry/prometheus.ts";
import { pointEveryMs, type Series } from "../telemetry/series.ts";
import type { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import type { FaultToleranceManager } from "../utils/fault-tolerance-manager.ts";
import type { HealthMonitor } from "../utils/health-monitor.ts";
import type { BotLogger } from "../utils/logger.ts";
import type { MessageQueue, MessageQueueSnapshot } from "../utils/message-queue.ts";
import type { RestartLedger } from "../utils/process-monitor/restart-ledger.ts";
import type { SafeMode } from "../utils/process-monitor/safe-mode.ts";
import type { ProcessMonitor } from "../utils/process-monitor.ts";
import type { ReconnectManager } from "../utils/reconnect-manager.ts";
import { listHolds } from "./holds.ts";
import { showPanels } from "./panels.ts";
import type { Runtime } from "./runtime.ts";
import type { TelegramClient } from "./sending.ts";
import { shared } from "./shared-answer.ts";
import { version } from "./version.ts";

/** The parts that figures are taken from. */
export interface MeasuredParts extends Runtime {
  readonly store: Store;
  readonly backups: Replaceable<BackupSchedule>;
  readonly queue: MessageQueue;
  readonly breaker: Breaker;
  readonly safeMode: SafeMode;
  readonly book: IncidentBook;
  readonly connections: Replaceable<ReconnectManager>;
  readonly processMonitor: Replaceable<ProcessMonitor>;
  readonly health: Replaceable<HealthMonitor>;
  readonly stream: EventStream;
  readonly log: BotLogger;
  readonly manager: FaultToleranceManager;
}

/** The parts that the API shows and changes. */
export interface ShownParts extends MeasuredParts {
  readonly intake: Replaceable<Intake>;
  readonly ledger: RestartLedger;
  readonly errors: ErrorGroups;
  readonly client: TelegramClient;
  readonly series: Series;
  readonly panels: ReadonlyMap<string, Panel>;
  readonly prometheus: Prometheus;
}

/** Milliseconds for which a health report is kept: five hundred requests a second share it. */
const healthKeptMs = 100;
/** Entries of each kind that `/api/status` shows. */
const shownMax = 20;
/** More than the book keeps. */
const all = 1_000_000;

export function createView(config: FaultToleranceConfig, deps: ShownParts): MonitoringView {
  const { book, clock, connections, errors, ledger, log, prometheus, queue, store } = deps;
  const startedAtMs = clock.monotonicMs();
  const startedAtEpochMs = clock.epochMs();
  const uptimeSeconds = () => Math.round((clock.monotonicMs() - startedAtMs) / 1000);
  const messageQueue = shared(() => queue.snapshot(), clock);
  const panels = showPanels(deps.panels.values(), clock);
  const health = shared(() => deps.health.current.getHealthStatus(), clock, healthKeptMs);
  return {
    live: () => ({ live: true, uptimeSeconds: uptimeSeconds() }),
    ready: () => readiness(deps),
    health: health as MonitoringView["health"],
    healthHistory: () => ({ probes: deps.health.current.history() }),
    status: () => ({ uptimeSeconds: uptimeSeconds(), ...statusOf(config, deps) }),
    metrics: async () => ({
      uptimeSeconds: uptimeSeconds(),
      process: { pid: process.pid, ...processFigures(deps) },
      queue: totals(await messageQueue()),
      ...deps.series.recent(),
    }),
    prometheus: shared(() => prometheus.render(), clock),
    series: (sinceEpochMs) => seriesOf(deps.series, sinceEpochMs),
    messageQueue,
    delayed: async (page) => {
      const { pools } = await messageQueue();
      const total = Object.values(pools).reduce((sum, { delayed }) => sum + delayed, 0);
      const { limit, offset } = page;
      return { total, offset, limit, delayed: await store.delayedMessages(page) };
    },
    holds: async () => ({ holds: await listHolds(deps.holds, queue, clock) }),
    connections: () => ({
      connections: connections.current.snapshot(),
      pool: deps.client.pool,
    }),
    errors: (limit) => ({ groups: errors.list(limit) }),
    incidents: (limit) => ({ open: openIncidents(book), incidents: book.list(limit) }),
    restarts: (limit) => ({ restarts: ledger.records.slice(-limit).toReversed() }),
    processes: async () => ({ processes: await processesOf(deps, startedAtEpochMs) }),
    logs: (limit) => ({ level: log.level, lines: log.tail(limit) }),
    deadLetters: async ({ limit, offset, ...filter }) => {
      const total = await store.countDeadLetters(filter);
      const letters = await store.deadLetters({ ...filter, offset, limit });
      const deadLetters = letters.map(({ payload: _, ...rest }) => rest);
      return { total, offset, limit, deadLetters };
    },
    deadLetter: (id) => store.deadLetter(id),
    panels: () => panels,
  };
}

export function createActions(deps: ShownParts): MonitoringActions {
  const { log, manager, processMonitor, queue, store } = deps;
  return {
    restartProcess: (detail) => processMonitor.current.triggerRestart({ type: "manual", detail }),
    askRestart: async (number) => (await store.shared?.processes.askRestart(number)) ?? false,
    restartComponent: (name, cause) => {
      // The supervisor publishes how it ends.
      manager.restart(name, cause).catch(() => {});
    },
    setPaused: (pool, paused) => (paused ? queue.pause(pool) : queue.resume(pool)),
    runNow: (id) => queue.runNow(id),
    requeue: (id) => queue.requeue(id),
    deleteDeadLetter: (id) => store.deleteDeadLetter(id),
    releaseHold: (id) => deps.holds.release(id),
    backup: () => store.backup(),
    setLogLevel: (level) => log.setLevel(level),
    rotateKey: () => store.rotateKey(),
  };
}

/** Figures for the charts. A queue that cannot be read leaves a gap in its own lines only. */
export async function lookAtAll(deps: MeasuredParts): Promise<SeriesLook> {
  const snapshot = await deps.queue.snapshot().catch(() => undefined);
  const { waiting, inHand, oldestAgeMs, deadLetters } = snapshot
    ? totals(snapshot)
    : { waiting: null, inHand: null, oldestAgeMs: null, deadLetters: null };
  const { cpuPercent, heapUsedBytes, loopDelayMs, rssBytes } = processFigures(deps);
  const own = { rssBytes, heapUsedBytes, loopDelayMs, cpuPercent };
  return { waiting, inHand, oldestAgeMs, deadLetters, ...own };
}

/** Figures for Prometheus. */
export async function figuresOf(
  config: FaultToleranceConfig,
  deps: MeasuredParts,
): Promise<Figures> {
  const { book, breaker, connections, health, log, processMonitor, queue, safeMode, stream } = deps;
  const [checks, snapshot, holds, server] = await Promise.all([
    health.current.runAllChecks(),
    queue.snapshot().catch(() => undefined),
    listHolds(deps.holds, queue, deps.clock).catch(() => []),
    deps.store.shared?.server().catch(() => undefined),
  ]);
  const qualities = Object.entries(connections.current.snapshot());
  return {
    ready: readiness(deps).ready,
    probes: Object.fromEntries(checks.map(({ probe, status }) => [probe, status])),
    pools: snapshot?.pools ?? null,
    queueLengthMax: config.queue.lengthMax,
    deadLetters: snapshot?.deadLetters ?? null,
    breakerOpen: !breaker.reachable,
    safeMode: safeMode.snapshot().state !== "off",
    connections: Object.fromEntries(
      qualities.map(([name, { latencyMs, state }]) => [
        name,
        { up: state === "connected" || state === "unsteady", latencyMs },
      ]),
    ),
    holds,
    roles: Object.fromEntries(
      roles.map((role) => [role, deps.store.shared?.roles.has(role) ?? true]),
    ) as Figures["roles"],
    server: server ?? null,
    openIncidents: openIncidents(book),
    backupAgeMs: deps.backups.current.snapshot().ageMs,
    backupEveryMs: config.storage.backupEveryMs,
    loopDelayMs: processMonitor.current.snapshot().loopDelayMs,
    memoryLimitBytes: config.process.memoryLimitBytes,
    streamClients: stream.clients,
    log: log.snapshot(),
  };
}

function readiness({ manager, store }: MeasuredParts) {
  const { phase } = manager;
  const reasons = [
    ...(phase === "running" ? [] : [`the process is ${phase}`]),
    ...(store.heartbeat().beats > 0 ? [] : ["the storage is not open"]),
  ];
  return { ready: reasons.length === 0, phase, reasons };
}

function statusOf(config: FaultToleranceConfig, deps: ShownParts) {
  return {
    profile: config.lifecycle.profile,
    version,
    node: process.version,
    pid: process.pid,
    memory: process.memoryUsage(),
    process: deps.processMonitor.current.snapshot(),
    components: deps.manager.snapshot(),
    intake: deps.intake.current.snapshot(),
    breaker: deps.breaker.state,
    safeMode: deps.safeMode.snapshot(),
    incidents: deps.book.list(shownMax),
    errors: deps.errors.list(shownMax),
    restarts: deps.ledger.records.slice(-shownMax).toReversed(),
  };
}

/** One that works alone has no number, and does everything. */
async function processesOf(
  { clock, health, store }: ShownParts,
  startedAtEpochMs: number,
): Promise<readonly ProcessEntry[]> {
  if (store.shared) return store.shared.processes.list();
  return [
    {
      ...{ number: 0, host: hostname(), pid: process.pid, version, startedAtEpochMs },
      ...{ beatAtEpochMs: clock.epochMs(), state: "alive", self: true },
      roles: roles.map((role) => ({ role, sinceEpochMs: startedAtEpochMs })),
      health: (await health.current.getHealthStatus()).status,
      monitoringUrl: undefined,
    },
  ];
}

function processFigures({ processMonitor }: MeasuredParts) {
  const { external, heapTotal, heapUsed, rss } = process.memoryUsage();
  const { cpuPercent, loopDelayMs } = processMonitor.current.snapshot();
  return {
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
    cpuPercent,
    loopDelayMs,
  };
}

/** Sums over all pools. */
function totals({ deadLetters, lengthMax, pools }: MessageQueueSnapshot) {
  const each = Object.values(pools);
  return {
    waiting: each.reduce((sum, { waiting }) => sum + waiting, 0),
    inHand: each.reduce((sum, { inHand }) => sum + inHand, 0),
    oldestAgeMs: Math.max(...each.map(({ oldestAgeMs }) => oldestAgeMs)),
    deadLetters,
    lengthMax,
  };
}

function openIncidents(book: IncidentBook): number {
  return book.list(all).filter(({ closedAtEpochMs }) => closedAtEpochMs === undefined).length;
}

/** Points as columns, as charts want them. */
function seriesOf(series: Series, sinceEpochMs: number) {
  const { marks, points } = series.since(sinceEpochMs);
  return {
    everyMs: pointEveryMs,
    atEpochMs: points.map(({ atEpochMs }) => atEpochMs),
    columns: forEveryColumn((column) => points.map((point) => point[column])),
    marks,
  };
}
