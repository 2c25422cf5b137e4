/** Restarts: ledger, watchdog and safe mode, which know how the processes before this one ended. */
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { Component } from "../core/component.ts";
import type { IncidentBook } from "../telemetry/incident-book.ts";
import { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import { type Breadcrumb, takeBreadcrumb } from "../utils/process-monitor/breadcrumb.ts";
import { RestartLedger } from "../utils/process-monitor/restart-ledger.ts";
import { SafeMode } from "../utils/process-monitor/safe-mode.ts";
import { Watchdog } from "../utils/process-monitor/watchdog.ts";
import type { Runtime } from "./runtime.ts";
import { version } from "./version.ts";

export function createRestarts(
  { lifecycle, queue }: FaultToleranceConfig,
  deps: Runtime & { directory: string; book: IncidentBook },
) {
  const { book, clock, directory, holds, publish } = deps;
  const ledger = new RestartLedger({ directory, clock, pid: process.pid, version });
  const restartLedger: Component = {
    name: "restart-ledger",
    start: async () => {
      book.begin();
      ledger.begin((pid) => explainHang(takeBreadcrumb(directory), pid));
      const { end } = ledger.records.at(-2) ?? {};
      if (end && !end.clean) {
        publish({ type: "process.death-found", cause: end.cause, detail: end.detail });
      }
    },
    stop: async () => {},
  };
  const killAfterMs = lifecycle.hangKillMs;
  const watchdog = new Replaceable(() => new Watchdog({ clock, publish, directory, killAfterMs }));
  const safeMode = new SafeMode({
    clock,
    publish,
    holds,
    concurrency: queue.concurrency,
    deathsMax: lifecycle.safeModeDeaths,
    lives: () => ledger.lives,
  });
  return { ledger, restartLedger, safeMode, watchdog };
}

/** Reads the breadcrumb that the watchdog left about the process before this one. */
function explainHang(crumb: Breadcrumb | undefined, pid: number) {
  if (crumb?.pid !== pid) return undefined;
  const [at] = crumb.frames;
  const where = at ? `in ${at.name} (${at.file}:${at.line})` : "in native code";
  return { cause: "hang", detail: `no sign of life for ${crumb.silentMs} ms, ${where}` };
}
