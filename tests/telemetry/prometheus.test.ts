/** Prometheus: what is counted, and that unknown figures are not shown. */
import { expect, test } from "vitest";
import type { BotEvent, MessageRef } from "../../bot/core/events.ts";
import { type Figures, Prometheus } from "../../bot/telemetry/prometheus.ts";

const poolFigures = { waiting: 3, delayed: 0, inHand: 1, oldestAgeMs: 2_500, paused: true };
const figures: Figures = {
  ready: true,
  probes: { disk: "degraded" },
  pools: { handling: poolFigures, sending: poolFigures, answering: poolFigures },
  queueLengthMax: 10,
  deadLetters: 4,
  breakerOpen: true,
  safeMode: false,
  connections: { polling: { up: true, latencyMs: 250 } },
  holds: [{ kind: "paused", waitedMs: 90_000 }],
  backupAgeMs: 5_000,
  roles: { intake: true, sending: false, sweeping: true },
  backupEveryMs: 86_400_000,
  server: { standbyLost: true, standbys: 2, oldestSnapshotMs: 61_000 },
  openIncidents: 2,
  loopDelayMs: 20,
  memoryLimitBytes: 1_000,
  streamClients: 0,
  log: {
    drops: { error: 0, warn: 1, info: 2, debug: 3 },
    consoleDrops: 4,
    suppressed: 5,
    behindBytes: 6,
  },
};

async function render(events: readonly BotEvent[], of: Figures = figures): Promise<string> {
  const prometheus = new Prometheus({ version: "1.2.3", figures: async () => of });
  for (const event of events) prometheus.listener(event);
  return prometheus.render();
}

const ref: MessageRef = { messageId: 1, messageType: "update", pool: "handling" };
const error = { code: "X", message: "", atEpochMs: 0 };

test.each<[BotEvent, string]>([
  [{ type: "updates.received", received: 3, duplicates: 1 }, "bot_updates_received_total 3"],
  [{ type: "updates.received", received: 3, duplicates: 1 }, "bot_updates_duplicate_total 1"],
  [
    { type: "message.done", ref, attempts: 1, durationMs: 20, waitedMs: 500 },
    'bot_messages_total{type="update",outcome="done"} 1',
  ],
  [
    { type: "message.done", ref, attempts: 1, durationMs: 20, waitedMs: 500 },
    'bot_message_duration_seconds_bucket{le="0.025",pool="handling"} 1',
  ],
  [
    { type: "message.done", ref, attempts: 1, durationMs: 20, waitedMs: 500 },
    'bot_message_wait_seconds_sum{pool="handling"} 0.5',
  ],
  [
    { type: "message.dead-lettered", ref, reason: "refused", attempts: 1, error },
    'bot_messages_dead_total{reason="refused"} 1',
  ],
  [
    { type: "message.dead-lettered", ref, reason: "refused", attempts: 1, error },
    'bot_errors_total{code="X"} 1',
  ],
  [{ type: "component.restart-begun", component: "polling", cause: "" }, 'component="polling"} 1'],
  [{ type: "process.death-found", cause: "hang", detail: undefined }, "previous_process_died 1"],
  [{ type: "api.refused", path: "/", address: "", why: "" }, "bot_api_refused_total 1"],
])("%j counts as %s", async (event, line) => {
  expect(await render([event])).toContain(line);
});

test.each([
  "bot_ready 1",
  'bot_holds{kind="paused"} 1',
  'bot_holds{kind="disk-full"} 0',
  'bot_hold_waiting_seconds{kind="paused"} 90',
  'bot_probe_status{probe="disk",status="degraded"} 1',
  'bot_probe_status{probe="disk",status="healthy"} 0',
  'bot_queue_oldest_age_seconds{pool="sending"} 2.5',
  'bot_queue_paused{pool="sending"} 1',
  "bot_dead_letters 4",
  "bot_database_standby_lost 1",
  "bot_database_standbys 2",
  "bot_database_snapshot_age_seconds 61",
  "bot_breaker_open 1",
  'bot_connection_latency_seconds{connection="polling"} 0.25',
  "bot_event_loop_delay_seconds 0.02",
  'bot_info{version="1.2.3"} 1',
  'bot_log_lines_dropped_total{level="warn"} 1',
  "bot_log_console_lines_dropped_total 4",
  "bot_log_lines_suppressed_total 5",
  "bot_log_behind_bytes 6",
])("it shows %s", async (line) => {
  expect(await render([])).toContain(`${line}\n`);
});

test("an unknown figure is absent, not zero", async () => {
  let of: Figures = figures;
  const prometheus = new Prometheus({ version: "1", figures: async () => of });
  await prometheus.render();
  of = {
    ...figures,
    pools: null,
    deadLetters: null,
    server: null,
    connections: { polling: { up: false, latencyMs: null } },
  };

  const text = await prometheus.render();

  expect(text).not.toMatch(
    /^bot_(database|queue_waiting|queue_oldest\w+|dead_letters|connection_latency)/m,
  );
  expect(text).toContain('bot_connection_up{connection="polling"} 0');
});

test("many different error codes take a bounded number of lines", async () => {
  const events = Array.from({ length: 1_000 }, (_, index) => ({
    type: "watchdog.failed" as const,
    error: { ...error, code: `CODE_${index}` },
  }));

  const text = await render(events);

  expect(text.match(/^bot_errors_total\{/gm)).toHaveLength(101);
  expect(text).toContain('bot_errors_total{code="other"} 900');
});
