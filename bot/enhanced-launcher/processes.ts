/** Processes: what this one tells the others that share its store, and does when one of them asks. */
import type { Component } from "../core/component.ts";
import { BotError } from "../core/errors.ts";
import type { BotEvent } from "../core/events.ts";
import { Loop } from "../core/loop.ts";
import type { Role } from "../core/roles.ts";
import type { Store } from "../core/store.ts";
import type { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import type { HealthMonitor } from "../utils/health-monitor.ts";
import type { ProcessMonitor } from "../utils/process-monitor.ts";
import type { Runtime } from "./runtime.ts";

export interface ProcessesParts extends Runtime {
  readonly store: Store;
  readonly health: Replaceable<HealthMonitor>;
  readonly processMonitor: Replaceable<ProcessMonitor>;
  readonly monitoringUrl: () => string;
}

const reportEveryMs = 5_000;

/** @returns no component where the process works alone. */
export function createProcessReport(parts: ProcessesParts) {
  const { clock, health, monitoringUrl, processMonitor, store } = parts;
  const processes = store.shared?.processes;
  const since: Partial<Record<Role, number>> = {};
  const listener = (event: BotEvent) => {
    if (event.type === "role.gained") since[event.role] = clock.epochMs();
    if (event.type === "role.lost") delete since[event.role];
  };
  if (!processes) return { components: [], listener };
  const report = async () => {
    try {
      const { status } = await health.current.getHealthStatus();
      const asked = await processes.report({
        health: status,
        monitoringUrl: monitoringUrl(),
        roles: since,
      });
      if (!asked) return;
      const detail = "asked for on the page of another process";
      processMonitor.current.triggerRestart({ type: "manual", detail });
    } catch (error) {
      // The database is away, which turns report; the next report is due in seconds.
      if (!(error instanceof BotError && error.transient)) throw error;
    }
  };
  const loop = new Loop(clock, async () => {
    do await report();
    while (await loop.wait(reportEveryMs));
  });
  const component: Component = {
    name: "process-report",
    start: async () => loop.start(),
    stop: () => loop.stop(),
    heartbeat: () => loop.heartbeat,
  };
  return { components: [component], listener };
}
