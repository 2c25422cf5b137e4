/** Health: process monitor, health monitor with its probes, and alerts to operators. */
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { Probe, ProbeResult } from "../core/component.ts";
import { measureAgainst } from "../core/recovery.ts";
import type { Store } from "../core/store.ts";
import type { BackupSchedule } from "../storage/backups/backup-schedule.ts";
import type { Breaker } from "../telegram/delivery/breaker.ts";
import { toCallMessage } from "../telegram/delivery/call-message.ts";
import type { Intake } from "../telegram/intake/intake.ts";
import { postAlert } from "../telemetry/alert-webhook.ts";
import { Alerts } from "../telemetry/alerts.ts";
import { callSwitch, DeadMansSwitch } from "../telemetry/dead-mans-switch.ts";
import type { IncidentBook } from "../telemetry/incident-book.ts";
import { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import type { SupervisedComponent } from "../utils/fault-tolerance-manager/supervisor.ts";
import { backupProbe } from "../utils/health-monitor/backup-probe.ts";
import { clockProbe } from "../utils/health-monitor/clock-probe.ts";
import { componentsProbe } from "../utils/health-monitor/components-probe.ts";
import { diskProbe } from "../utils/health-monitor/disk-probe.ts";
import { holdsProbe } from "../utils/health-monitor/holds-probe.ts";
import { logProbe } from "../utils/health-monitor/log-probe.ts";
import { processProbes } from "../utils/health-monitor/process-probes.ts";
import { queueProbe } from "../utils/health-monitor/queue-probe.ts";
import { replicationProbe } from "../utils/health-monitor/replication-probe.ts";
import { restartsProbe } from "../utils/health-monitor/restarts-probe.ts";
import { telegramProbe } from "../utils/health-monitor/telegram-probe.ts";
import { HealthMonitor } from "../utils/health-monitor.ts";
import type { BotLogger } from "../utils/logger.ts";
import type { MessageQueue } from "../utils/message-queue.ts";
import type { SafeMode } from "../utils/process-monitor/safe-mode.ts";
import { ProcessMonitor, type RestartReason } from "../utils/process-monitor.ts";
import type { ReconnectManager } from "../utils/reconnect-manager.ts";
import { listHolds } from "./holds.ts";
import type { Runtime } from "./runtime.ts";
import { connectionNames } from "./sending.ts";

export function createAlerts(
  { alerts }: FaultToleranceConfig,
  deps: Runtime & { queue: MessageQueue; breaker: Breaker; book: IncidentBook },
): Replaceable<Alerts> {
  const { adminIds = [], webhookUrl } = alerts;
  const { book, breaker, clock, publish, queue } = deps;
  const place = new Replaceable(
    () =>
      new Alerts({
        clock,
        publish,
        send: async (text) => {
          const receivedAtEpochMs = clock.epochMs();
          const options = { type: "alert", priority: "high", receivedAtEpochMs } as const;
          const messages = adminIds.map((chatId) =>
            toCallMessage("sendMessage", { chat_id: chatId, text }, options),
          );
          if (messages.length > 0) await queue.insertMessageByPriority(messages);
        },
        reachable: () => breaker.reachable,
        ...(webhookUrl && { post: (text, signal) => postAlert(webhookUrl, text, signal) }),
      }),
  );
  book.subscribe((incident) => place.current.tell(incident));
  return place;
}

/** @returns nothing where HEARTBEAT_URL is not set. */
export function createDeadMansSwitch(
  { alerts: { heartbeatUrl } }: FaultToleranceConfig,
  deps: Runtime & { health: Replaceable<HealthMonitor> },
): readonly Replaceable<DeadMansSwitch>[] {
  const { clock, health, publish } = deps;
  if (!heartbeatUrl) return [];
  const alive = async () => (await health.current.getHealthStatus()).status !== "unhealthy";
  const call = (signal: AbortSignal) => callSwitch(heartbeatUrl, signal);
  return [new Replaceable(() => new DeadMansSwitch({ clock, publish, alive, call }))];
}

export function createHealth(
  config: FaultToleranceConfig,
  deps: Runtime & {
    backups: Replaceable<BackupSchedule>;
    store: Store;
    queue: MessageQueue;
    intake: Replaceable<Intake>;
    breaker: Breaker;
    safeMode: SafeMode;
    log: BotLogger;
    directory: string;
    onRestart: (reason: RestartReason) => void;
    connections: Replaceable<ReconnectManager>;
    components: () => readonly SupervisedComponent[];
  },
) {
  const { breaker, clock, connections, holds, intake, publish, queue, safeMode, store } = deps;
  const isQuiet = async () => {
    const all = Object.values((await queue.snapshot()).pools);
    return all.every(({ inHand, waiting }) => inHand + waiting === 0);
  };
  const processMonitor = new Replaceable(
    () =>
      new ProcessMonitor({ clock, publish, ...config.process, isQuiet, restart: deps.onRestart }),
  );
  const probes = [
    // A new process opens the file again, and checks it first.
    {
      name: "database",
      restartAfterMs: 300_000,
      check: () => probeDatabase({ clock, connections, store }),
    },
    telegramProbe({
      intake: () => intake.current.snapshot(),
      reachable: () => breaker.reachable,
      latencyMs: () => latencyOf(connections.current),
      pollDueMs: (config.intake.pollTimeoutSeconds + 15) * 1000,
    }),
    queueProbe(() => lookAtQueue(queue)),
    holdsProbe(() => listHolds(holds, queue, clock)),
    componentsProbe(deps.components),
    restartsProbe(() => safeMode.snapshot()),
    ...processProbes(() => processMonitor.current.snapshot()),
    backupProbe(() => deps.backups.current.snapshot()),
    diskProbe([deps.directory, config.log.directory]),
    logProbe(() => deps.log.snapshot()),
    clockProbe(clock),
    ...replication(config, store),
  ];
  const onUnhealthyForLong = (probe: string, reason: string) => {
    if (measureAgainst("part-unhealthy", 1) !== "restart-process") return;
    // A new process would find the disk as full, and could not even start.
    if (reason.startsWith("STORAGE_FULL")) return;
    const detail = `${probe}: ${reason}`;
    processMonitor.current.triggerRestart({ type: "health-check-failed", detail });
  };
  const health = new Replaceable(
    () => new HealthMonitor({ clock, publish, probes, onUnhealthyForLong }),
  );
  return { processMonitor, health };
}

function replication({ storage }: FaultToleranceConfig, store: Store): readonly Probe[] {
  const { shared } = store;
  return shared ? [replicationProbe(storage.databaseReplicated, () => shared.server())] : [];
}

/** Latency of calls that do not wait: of the `getMe` that is sent while a long poll is silent. */
function latencyOf(connections: ReconnectManager): number | null {
  return connections.snapshot()[connectionNames.polling]?.latencyMs ?? null;
}

/** The answer counts for the connection as well, so that a healthy disk is asked only once. */
async function probeDatabase(
  deps: Pick<Runtime, "clock"> & { store: Store; connections: Replaceable<ReconnectManager> },
): Promise<ProbeResult> {
  const { clock, connections, store } = deps;
  const startedAtMs = clock.monotonicMs();
  try {
    await store.probe();
  } catch (error) {
    connections.current.failed(connectionNames.database, error);
    throw error;
  }
  connections.current.succeeded(connectionNames.database, clock.monotonicMs() - startedAtMs);
  return { status: "healthy" };
}

async function lookAtQueue(queue: MessageQueue) {
  const { deadLetters, lengthMax, pools: all } = await queue.snapshot();
  const { oldestAgeMs, paused, waiting } = all.handling;
  return { waiting, oldestAgeMs, paused, sending: all.sending.waiting, deadLetters, lengthMax };
}
