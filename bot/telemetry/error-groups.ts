/**
 * Error groups: counts every error the bot reports, by kind.
 *
 * Listens to events; the rules for spikes are in telemetry/spike-rules.ts. Reports when a kind is
 * new, comes back after a week, or occurs far more often than before. Memory is bounded: the kind
 * that has been silent the longest is forgotten first.
 */
import type { Clock } from "../core/clock.ts";
import { fingerprintOf, withoutParticulars } from "../core/error-fingerprint.ts";
import type { ErrorRecord } from "../core/errors.ts";
import type { BotEvent, Publish } from "../core/events.ts";
import { LruMap } from "../core/lru-map.ts";
import { isSpike, noTrend, type Trend, trendWindowMs, withWindow } from "./spike-rules.ts";

export interface ErrorGroup {
  readonly fingerprint: string;
  readonly code: string;
  /** The message without the parts that vary. */
  readonly message: string;
  /** The type of the event that last reported it. */
  readonly event: string;
  readonly count: number;
  readonly firstAtEpochMs: number;
  readonly lastAtEpochMs: number;
  /** Counts per hour over the last 24 hours, the current hour last. */
  readonly perHour: readonly number[];
}

export interface ErrorGroupsDeps {
  readonly clock: Clock;
  readonly publish: Publish;
}

const groupsMax = 500;
const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
const hours = 24;

interface Group {
  event: string;
  readonly code: string;
  readonly message: string;
  count: number;
  readonly firstAtEpochMs: number;
  lastAtEpochMs: number;
  hourStartedAtMs: number;
  perHour: number[];
  trend: Trend;
  windowStartedAtMs: number;
  inWindow: number;
  spiking: boolean;
}

export class ErrorGroups {
  readonly #deps: ErrorGroupsDeps;
  readonly #groups = new LruMap<string, Group>(groupsMax);

  constructor(deps: ErrorGroupsDeps) {
    this.#deps = deps;
  }

  /** The listener to register with the event bus. */
  readonly listener = (event: BotEvent): void => {
    if (event.type === "error.noticed" || !("error" in event) || !event.error) return;
    this.#add(event.type, event.error);
  };

  /** Lists groups, the most recently seen first. */
  list(limit: number): readonly ErrorGroup[] {
    const nowMs = this.#deps.clock.monotonicMs();
    return [...this.#groups.entries()]
      .slice(-limit)
      .toReversed()
      .map(([fingerprint, group]) => {
        turnHours(group, nowMs);
        const { code, count, event, firstAtEpochMs, lastAtEpochMs, message, perHour } = group;
        const instants = { firstAtEpochMs, lastAtEpochMs };
        return { fingerprint, code, message, event, count, ...instants, perHour: [...perHour] };
      });
  }

  #add(event: string, error: ErrorRecord): void {
    const { clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const nowEpochMs = clock.epochMs();
    const fingerprint = fingerprintOf(error);
    const known = this.#groups.get(fingerprint);
    const group = known ?? createGroup(error, nowMs, nowEpochMs);
    const quietMs = nowEpochMs - group.lastAtEpochMs;
    group.event = event;
    group.count++;
    group.lastAtEpochMs = nowEpochMs;
    turnHours(group, nowMs);
    turnWindows(group, nowMs);
    group.perHour[hours - 1] = (group.perHour[hours - 1] ?? 0) + 1;
    group.inWindow++;
    this.#groups.set(fingerprint, group);
    if (!known) this.#notice(fingerprint, group, "new");
    else if (quietMs > weekMs) this.#notice(fingerprint, group, "back");
    if (!group.spiking && isSpike(group.trend, group.inWindow)) {
      group.spiking = true;
      this.#notice(fingerprint, group, "spike");
    }
  }

  #notice(fingerprint: string, { code, count }: Group, what: "new" | "back" | "spike"): void {
    this.#deps.publish({ type: "error.noticed", what, fingerprint, code, count });
  }
}

function createGroup({ code, message }: ErrorRecord, nowMs: number, nowEpochMs: number): Group {
  return {
    event: "",
    code,
    message: withoutParticulars(message),
    count: 0,
    firstAtEpochMs: nowEpochMs,
    lastAtEpochMs: nowEpochMs,
    hourStartedAtMs: nowMs,
    perHour: Array(hours).fill(0),
    trend: noTrend,
    windowStartedAtMs: nowMs,
    inWindow: 0,
    spiking: false,
  };
}

function turnHours(group: Group, nowMs: number): void {
  const turns = Math.floor((nowMs - group.hourStartedAtMs) / hourMs);
  if (turns <= 0) return;
  group.hourStartedAtMs += turns * hourMs;
  const empty: number[] = Array(Math.min(turns, hours)).fill(0);
  group.perHour = [...group.perHour.slice(empty.length), ...empty];
}

/** After a day of silence (288 windows of five minutes) the trend has forgotten the past. */
const windowsMax = 288;

function turnWindows(group: Group, nowMs: number): void {
  const turns = Math.floor((nowMs - group.windowStartedAtMs) / trendWindowMs);
  for (let turn = 0; turn < Math.min(turns, windowsMax); turn++) {
    group.trend = withWindow(group.trend, group.inWindow);
    group.inWindow = 0;
    group.spiking = false;
  }
  group.windowStartedAtMs += turns * trendWindowMs;
}
