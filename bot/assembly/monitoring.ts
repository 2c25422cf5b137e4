/** Monitoring: the API, and what it shows of all the parts. */
import { MonitoringServer } from "../api/monitoring.ts";
import type { MonitoringView } from "../api/routes.ts";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { UpdateSource } from "../contracts/update-source.ts";
import type { ErrorGroups } from "../incidents/error-groups.ts";
import type { IncidentBook } from "../incidents/incident-book.ts";
import type { RestartLedger } from "../restarts/restart-ledger.ts";
import type { SafeMode } from "../restarts/safe-mode.ts";
import { Replaceable } from "../supervision/replaceable.ts";
import type { SupervisedComponent } from "../supervision/supervisor.ts";
import type { BotApiClient } from "../telegram/bot-api-client.ts";
import type { Breaker } from "../telegram/breaker.ts";
import type { HealthMonitor } from "../utils/health-monitor.ts";
import type { MessageQueue } from "../utils/message-queue.ts";
import type { ProcessMonitor } from "../utils/process-monitor.ts";
import type { ReconnectManager } from "../utils/reconnect-manager.ts";
import type { Base } from "./base.ts";

/** The parts that are looked at. */
export interface Shown {
  readonly queue: MessageQueue;
  readonly polling: Replaceable<UpdateSource>;
  readonly breaker: Breaker;
  readonly safeMode: SafeMode;
  readonly ledger: RestartLedger;
  readonly book: IncidentBook;
  readonly errors: ErrorGroups;
  readonly client: BotApiClient;
  readonly connections: Replaceable<ReconnectManager>;
  readonly processMonitor: Replaceable<ProcessMonitor>;
  readonly health: Replaceable<HealthMonitor>;
  readonly components: () => readonly SupervisedComponent[];
}

/** Of each kind, how many of the latest `/api/status` shows. */
const shownMax = 20;

export function createMonitoring(
  config: FaultToleranceConfig,
  deps: Base & Shown,
): Replaceable<MonitoringServer> {
  const view = createView(config, deps);
  let { port } = config.monitoring;
  return new Replaceable(() => {
    const { clock, publish } = deps;
    // A new instance keeps the port that the first one was given.
    const onListening = (taken: number) => {
      port = taken;
    };
    return new MonitoringServer({ ...config.monitoring, port, clock, publish, view, onListening });
  });
}

function createView(config: FaultToleranceConfig, deps: Base & Shown): MonitoringView {
  const { book, breaker, clock, errors, ledger, queue, safeMode } = deps;
  const startedAtMs = clock.monotonicMs();
  return {
    health: () => deps.health.current.getHealthStatus(),
    status: async () => ({
      uptimeSeconds: Math.round((clock.monotonicMs() - startedAtMs) / 1000),
      profile: config.lifecycle.profile,
      node: process.version,
      pid: process.pid,
      memory: process.memoryUsage(),
      process: deps.processMonitor.current.snapshot(),
      components: deps.components(),
      intake: deps.polling.current.snapshot(),
      breaker: breaker.state,
      safeMode: safeMode.snapshot(),
      incidents: book.list(shownMax),
      errors: errors.list(shownMax),
      restarts: ledger.records.slice(-shownMax).toReversed(),
    }),
    messageQueue: () => queue.snapshot(),
    connections: () => ({
      connections: deps.connections.current.snapshot(),
      pool: deps.client.pool,
    }),
  };
}
