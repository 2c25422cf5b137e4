/**
 * Prometheus: exposes the bot's figures in the text format of Prometheus.
 *
 * Events are counted as they come; gauges are set when the figures are requested. Names begin with
 * `bot_` and end in their base unit. Labels have few values and are never ids.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { BotEvent } from "../core/events.ts";
import { type HoldKind, holdKinds } from "../core/holds.ts";
import { type LogLevel, logLevels } from "../core/log-level.ts";
import { pools } from "../core/message.ts";
import type { Role } from "../core/roles.ts";
import type { DatabaseServer } from "../core/shared-store.ts";

/** The values of the gauges at the time of the request; `null` where a value is unknown. */
export interface Figures {
  readonly ready: boolean;
  readonly probes: Readonly<Record<string, "healthy" | "degraded" | "unhealthy">>;
  readonly pools: Readonly<
    Record<
      (typeof pools)[number],
      {
        readonly waiting: number;
        readonly delayed: number;
        readonly inHand: number;
        readonly oldestAgeMs: number;
        readonly paused: boolean;
      }
    >
  > | null;
  readonly queueLengthMax: number;
  readonly deadLetters: number | null;
  readonly breakerOpen: boolean;
  readonly safeMode: boolean;
  readonly connections: Readonly<
    Record<string, { readonly up: boolean; readonly latencyMs: number | null }>
  >;
  readonly holds: readonly { readonly kind: HoldKind; readonly waitedMs: number }[];
  /** Whether this process does for all what the role is. */
  readonly roles: Readonly<Record<Role, boolean>>;
  /** The server of a store that processes share; `null` when there is none, or it does not answer. */
  readonly server: Pick<DatabaseServer, "oldestSnapshotMs" | "standbyLost" | "standbys"> | null;
  readonly openIncidents: number;
  /** `null` when there is no backup. */
  readonly backupAgeMs: number | null;
  /** 0: none is made by itself. */
  readonly backupEveryMs: number;
  readonly loopDelayMs: number;
  readonly memoryLimitBytes: number;
  readonly streamClients: number;
  readonly log: {
    readonly drops: Readonly<Record<LogLevel, number>>;
    readonly consoleDrops: number;
    readonly suppressed: number;
    readonly behindBytes: number;
  };
}

/** Gauges of prom-client that are left out, because promtool takes their suffix for a counter's. */
const misnamed = [
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
  "nodejs_active_resources_total",
];
const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** Maximum number of error codes with their own line; further codes share one. */
const codesMax = 100;

export class Prometheus {
  readonly #registry = new Registry();
  readonly #figures: () => Promise<Figures>;
  readonly #counters: ReturnType<typeof createCounters>;
  readonly #gauges: ReturnType<typeof createGauges>;
  readonly #codes = new Set<string>();

  constructor({ figures, version }: { figures: () => Promise<Figures>; version: string }) {
    this.#figures = figures;
    collectNodeMetrics(this.#registry);
    for (const name of misnamed) this.#registry.removeSingleMetric(name);
    this.#counters = createCounters(this.#registry);
    this.#gauges = createGauges(this.#registry);
    this.#gauges.info.set({ version }, 1);
  }

  /** Returns all figures as text. */
  async render(): Promise<string> {
    this.#set(await this.#figures());
    return this.#registry.metrics();
  }

  /** The listener to register with the event bus. */
  readonly listener = (event: BotEvent): void => {
    if ("error" in event && event.error) this.#countError(event.error.code);
    const counters = this.#counters;
    switch (event.type) {
      case "updates.received":
        counters.received.inc(event.received);
        counters.duplicates.inc(event.duplicates);
        return;
      case "message.done":
        counters.outcomes.inc({ type: event.ref.messageType, outcome: "done" });
        counters.duration.observe({ pool: event.ref.pool }, event.durationMs / 1000);
        counters.wait.observe({ pool: event.ref.pool }, event.waitedMs / 1000);
        return;
      case "message.retry-scheduled":
        counters.outcomes.inc({ type: event.ref.messageType, outcome: "retried" });
        return;
      case "message.postponed":
        counters.outcomes.inc({ type: event.ref.messageType, outcome: "postponed" });
        return;
      case "message.expired":
        counters.outcomes.inc({ type: event.ref.messageType, outcome: "expired" });
        return;
      case "message.dead-lettered":
        counters.outcomes.inc({ type: event.ref.messageType, outcome: "dead" });
        counters.dead.inc({ reason: event.reason });
        return;
      case "send.cut-off":
        counters.ambiguous.inc({ policy: event.policy });
        return;
      case "send.simplified":
        counters.simplified.inc();
        return;
      case "messages.replaced":
        counters.replaced.inc(event.replaced);
        return;
      case "telegram.rate-limited":
        counters.rateLimited.inc({ scope: event.scope });
        return;
      case "breaker.opened":
        counters.breakerOpened.inc();
        return;
      case "connection.lost":
        counters.connectionsLost.inc({ connection: event.connection });
        return;
      case "component.restart-begun":
        counters.componentRestarts.inc({ component: event.component });
        return;
      case "process.death-found":
        this.#gauges.previousDied.set(1);
        return;
      case "api.refused":
        counters.refusedLogins.inc();
        return;
      case "api.change-requested":
        counters.changes.inc();
        return;
      default:
    }
  };

  #countError(code: string): void {
    if (this.#codes.size < codesMax) this.#codes.add(code);
    this.#counters.errors.inc({ code: this.#codes.has(code) ? code : "other" });
  }

  /** Copies the log's own counts. */
  #setLog({ behindBytes, consoleDrops, drops, suppressed }: Figures["log"]): void {
    const counters = this.#counters;
    this.#gauges.logBehind.set(behindBytes);
    counters.logDrops.reset();
    for (const level of logLevels) counters.logDrops.inc({ level }, drops[level]);
    counters.consoleDrops.reset();
    counters.consoleDrops.inc(consoleDrops);
    counters.suppressed.reset();
    counters.suppressed.inc(suppressed);
  }

  #set(figures: Figures): void {
    const gauges = this.#gauges;
    gauges.ready.set(Number(figures.ready));
    gauges.breakerOpen.set(Number(figures.breakerOpen));
    gauges.safeMode.set(Number(figures.safeMode));
    gauges.openIncidents.set(figures.openIncidents);
    for (const [role, has] of Object.entries(figures.roles))
      gauges.roles.set({ role }, Number(has));
    gauges.standbyLost.remove();
    gauges.standbys.remove();
    gauges.snapshotAge.remove();
    if (figures.server) {
      gauges.standbyLost.set({}, Number(figures.server.standbyLost));
      gauges.standbys.set({}, figures.server.standbys);
      gauges.snapshotAge.set({}, figures.server.oldestSnapshotMs / 1000);
    }
    gauges.backupEvery.set(figures.backupEveryMs / 1000);
    gauges.backupAge.remove();
    if (figures.backupAgeMs !== null) gauges.backupAge.set({}, figures.backupAgeMs / 1000);
    gauges.loopDelay.set(figures.loopDelayMs / 1000);
    gauges.memoryLimit.set(figures.memoryLimitBytes);
    gauges.capacity.set(figures.queueLengthMax);
    gauges.streamClients.set(figures.streamClients);
    this.#setLog(figures.log);
    for (const [probe, verdict] of Object.entries(figures.probes)) {
      for (const status of ["healthy", "degraded", "unhealthy"] as const) {
        gauges.probes.set({ probe, status }, Number(status === verdict));
      }
    }
    for (const kind of Object.keys(holdKinds)) {
      const inForce = figures.holds.filter((hold) => hold.kind === kind);
      gauges.holds.set({ kind }, inForce.length);
      const waitedMs = Math.max(0, ...inForce.map((hold) => hold.waitedMs));
      gauges.holdWaiting.set({ kind }, waitedMs / 1000);
    }
    gauges.connectionLatency.reset();
    for (const [connection, { latencyMs, up }] of Object.entries(figures.connections)) {
      gauges.connectionUp.set({ connection }, Number(up));
      if (latencyMs !== null) gauges.connectionLatency.set({ connection }, latencyMs / 1000);
    }
    // An unknown figure is absent instead of keeping its last value.
    for (const gauge of [
      gauges.waiting,
      gauges.delayed,
      gauges.inHand,
      gauges.oldest,
      gauges.paused,
    ])
      gauge.reset();
    gauges.deadLetters.remove();
    if (figures.deadLetters !== null) gauges.deadLetters.set({}, figures.deadLetters);
    for (const pool of figures.pools ? pools : []) {
      const of = figures.pools?.[pool];
      if (!of) continue;
      gauges.waiting.set({ pool }, of.waiting);
      gauges.delayed.set({ pool }, of.delayed);
      gauges.inHand.set({ pool }, of.inHand);
      gauges.oldest.set({ pool }, of.oldestAgeMs / 1000);
      gauges.paused.set({ pool }, Number(of.paused));
    }
  }
}

function createCounters(registry: Registry) {
  const registers = [registry];
  const counter = <T extends string>(name: string, help: string, labelNames: readonly T[] = []) =>
    new Counter<T>({ name, help, labelNames, registers });
  const histogram = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ["pool"], buckets: secondsBuckets, registers });
  return {
    received: counter("bot_updates_received_total", "Updates taken from Telegram."),
    duplicates: counter("bot_updates_duplicate_total", "Updates that had been taken before."),
    outcomes: counter("bot_messages_total", "Attempts that ended, by outcome of the message.", [
      "type",
      "outcome",
    ]),
    dead: counter("bot_messages_dead_total", "Messages given up, by reason.", ["reason"]),
    duration: histogram("bot_message_duration_seconds", "Duration of the last attempt."),
    wait: histogram("bot_message_wait_seconds", "Time from queueing to the last attempt's start."),
    ambiguous: counter("bot_sends_ambiguous_total", "Sends that may or may not have happened.", [
      "policy",
    ]),
    simplified: counter(
      "bot_sends_simplified_total",
      "Sends made again as plain text, because Telegram refused their form.",
    ),
    replaced: counter(
      "bot_messages_replaced_total",
      "Messages that left the queue unsent, because a newer one sets the same.",
    ),
    rateLimited: counter("bot_rate_limited_total", "Times Telegram asked to wait.", ["scope"]),
    breakerOpened: counter("bot_breaker_opened_total", "Times calls to Telegram were stopped."),
    connectionsLost: counter("bot_connections_lost_total", "Connections lost.", ["connection"]),
    componentRestarts: counter("bot_component_restarts_total", "Restarts of single components.", [
      "component",
    ]),
    errors: counter("bot_errors_total", "Errors by code.", ["code"]),
    changes: counter("bot_api_changes_total", "Changes requested through the monitoring API."),
    refusedLogins: counter("bot_api_refused_total", "Requests with a wrong or missing token."),
    logDrops: counter("bot_log_lines_dropped_total", "Log lines lost to a slow disk.", ["level"]),
    consoleDrops: counter("bot_log_console_lines_dropped_total", "Lines not read in time."),
    suppressed: counter("bot_log_lines_suppressed_total", "Log lines left out as repetitions."),
  };
}

function createGauges(registry: Registry) {
  const registers = [registry];
  const gauge = <T extends string>(name: string, help: string, labelNames: readonly T[] = []) =>
    new Gauge<T>({ name, help, labelNames, registers });
  return {
    info: gauge("bot_info", "Always 1; the version is a label.", ["version"]),
    ready: gauge("bot_ready", "1 while the bot takes work."),
    probes: gauge("bot_probe_status", "1 for the probe's current status, 0 for the others.", [
      "probe",
      "status",
    ]),
    waiting: gauge("bot_queue_waiting", "Messages waiting.", ["pool"]),
    delayed: gauge("bot_queue_delayed", "Messages whose time has not come.", ["pool"]),
    inHand: gauge("bot_queue_in_hand", "Messages being worked on.", ["pool"]),
    oldest: gauge("bot_queue_oldest_age_seconds", "Age of the oldest waiting message.", ["pool"]),
    paused: gauge("bot_queue_paused", "1 while an operator pauses the pool.", ["pool"]),
    capacity: gauge("bot_queue_capacity", "Messages that may wait before the intake stops."),
    deadLetters: gauge("bot_dead_letters", "Dead letters kept."),
    breakerOpen: gauge("bot_breaker_open", "1 while calls to Telegram are stopped."),
    safeMode: gauge(
      "bot_safe_mode",
      "1 while the bot works more carefully after deaths, and is watched.",
    ),
    holds: gauge("bot_holds", "Holds in force: what holds work back.", ["kind"]),
    holdWaiting: gauge(
      "bot_hold_waiting_seconds",
      "How long the oldest work has waited because of a hold.",
      ["kind"],
    ),
    roles: gauge("bot_role", "1 where the process does this for all that share the database.", [
      "role",
    ]),
    standbyLost: gauge(
      "bot_database_standby_lost",
      "1 while PostgreSQL waits for a standby that is not connected.",
    ),
    standbys: gauge("bot_database_standbys", "Standbys connected to PostgreSQL."),
    snapshotAge: gauge(
      "bot_database_snapshot_age_seconds",
      "Age of the oldest snapshot a session of PostgreSQL holds.",
    ),
    connectionUp: gauge("bot_connection_up", "1 while the connection is up.", ["connection"]),
    connectionLatency: gauge("bot_connection_latency_seconds", "Smoothed.", ["connection"]),
    openIncidents: gauge("bot_incidents_open", "Incidents that are open."),
    backupAge: gauge("bot_backup_age_seconds", "Age of the last good backup."),
    backupEvery: gauge(
      "bot_backup_interval_seconds",
      "Time between two backups; 0: none are made.",
    ),
    previousDied: gauge("bot_previous_process_died", "1 if the previous process died."),
    memoryLimit: gauge("bot_memory_limit_bytes", "Memory above which the bot restarts itself."),
    loopDelay: gauge("bot_event_loop_delay_seconds", "99th percentile over five seconds."),
    logBehind: gauge("bot_log_behind_bytes", "Bytes of log lines not yet on disk."),
    streamClients: gauge("bot_api_stream_clients", "Clients that follow the event stream."),
  };
}

/**
 * The library would look at the event loop a hundred times a second, which is most of what an idle process
 * does. The process monitor measures that delay already: `bot_event_loop_delay_seconds`.
 */
function collectNodeMetrics(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: 60_000 });
  const doubled = /^nodejs_eventloop_lag_(?!seconds)/;
  for (const { name } of register.getMetricsAsArray()) {
    if (doubled.test(name)) register.removeSingleMetric(name);
  }
}
