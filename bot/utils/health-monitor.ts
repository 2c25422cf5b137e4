/**
 * Health monitor: asks every probe at its own interval, and judges its latest answers.
 *
 * A probe that throws, hangs or answers nonsense counts as unhealthy; it never makes this file
 * fail. Each check ends at its deadline. A probe that ignores the deadline is not asked again until
 * it has returned, so that hung probes do not pile up. utils/health-monitor/health-rules.ts decides
 * when answers change a verdict. Owns one loop per probe.
 */
import { type Clock, formatInstant } from "../core/clock.ts";
import type { Component, Probe, ProbeResult } from "../core/component.ts";
import { withDeadline } from "../core/deadline.ts";
import type { Ending } from "../core/ending.ts";
import { recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import { type Heartbeat, worstOf } from "../core/heartbeat.ts";
import { Loop } from "../core/loop.ts";
import { Ring } from "../core/ring.ts";
import {
  type Health,
  type HealthVerdict,
  nextVerdict,
  severity,
} from "./health-monitor/health-rules.ts";

export interface HealthMonitorDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly probes: readonly Probe[];
  /** Milliseconds between two checks of a probe without its own interval. Default 5000. */
  readonly intervalMs?: number;
  /** Milliseconds a check may take, for a probe without its own deadline. Default 2000. */
  readonly probeDeadlineMs?: number;
  /**
   * Called when a probe has been unhealthy for its `restartAfterMs`, and again after each such
   * time.
   */
  readonly onUnhealthyForLong?: (probe: string, reason: string) => void;
}

/** A probe's verdict and its latest answer. */
export interface HealthCheck extends ProbeResult {
  readonly probe: string;
  /** The latest answer alone; the verdict (`status`) may not follow it yet. */
  readonly answer: Health;
  readonly durationMs: number;
  readonly checkedAtEpochMs: number;
}

/** The body of `/api/health`. */
export interface HealthStatus {
  /** The worst of all checks; healthy when there are none. */
  readonly status: Health;
  readonly timestamp: string;
  /** Per probe: status, `duration` in milliseconds, reason, and the probe's own figures. */
  readonly checks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** One answer in a probe's history. */
export interface PastAnswer {
  readonly atEpochMs: number;
  readonly answer: Health;
  readonly durationMs: number;
}

/** Answers younger than this are reused, so that asking often costs no more. */
const freshMs = 1_000;
/** Answers kept per probe: half an hour at the default interval. */
const historyMax = 360;

interface WatchedProbe {
  readonly probe: Probe;
  readonly loop: Loop;
  check: HealthCheck | undefined;
  verdict: HealthVerdict | undefined;
  readonly history: Ring<PastAnswer>;
  /** When the verdict became unhealthy, or when `onUnhealthyForLong` was last called. */
  unhealthySinceMs: number | undefined;
  /** The check under way; settles by its deadline. */
  asking: Promise<void> | undefined;
  askedAtMs: number;
  /** Whether the probe has not returned yet, even after its deadline. */
  unanswered: boolean;
}

export class HealthMonitor implements Component {
  readonly name = "health-monitor";
  readonly #deps: HealthMonitorDeps;
  readonly #watched: readonly WatchedProbe[];

  constructor(deps: HealthMonitorDeps) {
    this.#deps = deps;
    this.#watched = deps.probes.map((probe) => {
      const watched: WatchedProbe = {
        probe,
        loop: new Loop(deps.clock, () => this.#run(watched)),
        check: undefined,
        verdict: undefined,
        history: new Ring(historyMax),
        unhealthySinceMs: undefined,
        asking: undefined,
        askedAtMs: Number.NEGATIVE_INFINITY,
        unanswered: false,
      };
      return watched;
    });
  }

  async start(): Promise<void> {
    for (const { loop } of this.#watched) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#watched.flatMap(({ asking, loop }) => [loop.stop(), asking]));
  }

  /** Beats once per check; reports the probe that is most overdue. */
  heartbeat(): Heartbeat {
    return worstOf(this.#watched.map(({ loop }) => loop.heartbeat));
  }

  /** Returns the bot's health, at most one second old. Takes as long as the slowest probe. */
  async getHealthStatus(): Promise<HealthStatus> {
    const checks = await this.runAllChecks();
    return this.generateHealthReport(checks);
  }

  /** Asks all probes at once or joins a check under way; once stopped, returns the last answers. */
  async runAllChecks(): Promise<readonly HealthCheck[]> {
    await Promise.all(this.#watched.map((watched) => this.#ask(watched)));
    return this.#watched.flatMap(({ check }) => check ?? []);
  }

  generateHealthReport(checks: readonly HealthCheck[]): HealthStatus {
    const worst = Math.max(0, ...checks.map((check) => severity[check.status]));
    const status = (["healthy", "degraded", "unhealthy"] as const)[worst] ?? "unhealthy";
    const entries = checks.map((check): [string, Readonly<Record<string, unknown>>] => {
      const { answer, checkedAtEpochMs, durationMs, figures, probe, reason, status } = check;
      const shown = { ...figures, status, duration: Math.round(durationMs) };
      const checkedAt = formatInstant(checkedAtEpochMs);
      const why = reason !== undefined && { reason };
      return [probe, { ...shown, ...(answer !== status && { answer }), ...why, checkedAt }];
    });
    const timestamp = formatInstant(this.#deps.clock.epochMs());
    return { status, timestamp, checks: Object.fromEntries(entries) };
  }

  /** Returns the latest answers of every probe, oldest first. */
  history(): Readonly<Record<string, readonly PastAnswer[]>> {
    return Object.fromEntries(
      this.#watched.map(({ history, probe }) => [probe.name, history.values]),
    );
  }

  #intervalMs({ probe }: WatchedProbe): number {
    return probe.intervalMs ?? this.#deps.intervalMs ?? 5_000;
  }

  #deadlineMs({ probe }: WatchedProbe): number {
    return probe.deadlineMs ?? this.#deps.probeDeadlineMs ?? 2_000;
  }

  async #run(watched: WatchedProbe): Promise<void> {
    do {
      watched.loop.expect(this.#deadlineMs(watched));
      await this.#ask(watched);
    } while (await watched.loop.wait(this.#intervalMs(watched)));
  }

  async #ask(watched: WatchedProbe): Promise<void> {
    const ageMs = this.#deps.clock.monotonicMs() - watched.askedAtMs;
    const stale = ageMs >= Math.min(freshMs, this.#intervalMs(watched));
    if (stale && !watched.loop.stopped) {
      watched.asking ??= this.#check(watched).finally(() => {
        watched.asking = undefined;
        watched.askedAtMs = this.#deps.clock.monotonicMs();
      });
    }
    await watched.asking;
  }

  async #check(watched: WatchedProbe): Promise<void> {
    const { clock } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    const result = await this.#answerOf(watched);
    // A probe that the stop cut off has not answered.
    if (watched.loop.stopped) return;
    const { probe } = watched;
    const { improveAfter = 2, worsenAfter = 1 } = probe;
    const before = watched.verdict;
    const verdict = nextVerdict(before, result.status, { improveAfter, worsenAfter });
    const answer = result.status;
    const durationMs = clock.monotonicMs() - startedAtMs;
    const atEpochMs = clock.epochMs();
    watched.verdict = verdict;
    watched.check = {
      ...result,
      status: verdict.status,
      probe: probe.name,
      answer,
      durationMs,
      checkedAtEpochMs: atEpochMs,
      ...reasonOf(result, verdict.status),
    };
    watched.history.push({ atEpochMs, answer, durationMs });
    this.#judgeForLong(watched);
    if (before?.status === verdict.status) return;
    const { reason, status } = watched.check;
    this.#deps.publish({ type: "health.changed", probe: probe.name, status, reason });
  }

  #judgeForLong(watched: WatchedProbe): void {
    const { clock, onUnhealthyForLong } = this.#deps;
    const { check, probe } = watched;
    if (check?.status !== "unhealthy") {
      watched.unhealthySinceMs = undefined;
      return;
    }
    const nowMs = clock.monotonicMs();
    watched.unhealthySinceMs ??= nowMs;
    const { name, restartAfterMs = Number.POSITIVE_INFINITY } = probe;
    if (nowMs - watched.unhealthySinceMs < restartAfterMs) return;
    watched.unhealthySinceMs = nowMs;
    onUnhealthyForLong?.(name, check.reason ?? "unhealthy");
  }

  async #answerOf(watched: WatchedProbe): Promise<ProbeResult> {
    if (watched.unanswered) return noAnswer("still no answer to the last check");
    watched.unanswered = true;
    const deadlineMs = this.#deadlineMs(watched);
    const ask = ({ signal }: Ending) =>
      this.#answer(watched.probe, signal).finally(() => {
        watched.unanswered = false;
      });
    return withDeadline(this.#deps.clock, deadlineMs, ask, {
      late: () => noAnswer(`no answer within ${deadlineMs} ms`),
      signal: watched.loop.signal,
    });
  }

  async #answer(probe: Probe, signal: AbortSignal): Promise<ProbeResult> {
    try {
      const { status, reason, figures } = await probe.check(signal);
      if (!(status in severity)) throw new TypeError(`a probe answered ${String(status)}`);
      return { status, ...(reason !== undefined && { reason }), ...(figures && { figures }) };
    } catch (error) {
      const { code, message } = recordError(error, this.#deps.clock.epochMs());
      return noAnswer(`${code}: ${message}`);
    }
  }
}

/** Returns the answer's reason, or one for a verdict that is worse than a healthy answer. */
function reasonOf({ reason, status: answer }: ProbeResult, status: Health) {
  if (answer !== "healthy" || status === "healthy") return reason !== undefined && { reason };
  return { reason: "better again, but not confirmed yet" };
}

function noAnswer(reason: string): ProbeResult {
  return { status: "unhealthy", reason };
}
