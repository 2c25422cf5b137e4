/**
 * Health monitor: asks every probe at intervals and keeps the last answer of each.
 *
 * A probe that throws, hangs or answers nonsense is an answer ("unhealthy"), never an error of this
 * file: each is given up at its deadline, and one that ignores even that is not asked again before it
 * has come back, so that hung probes do not pile up.
 */
import type { Clock } from "../contracts/clock.ts";
import type { Component, Probe, ProbeResult } from "../contracts/component.ts";
import { recordError } from "../contracts/errors.ts";
import type { Publish } from "../contracts/events.ts";
import { type Heartbeat, Pulse } from "../contracts/heartbeat.ts";

export interface HealthMonitorDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly probes: readonly Probe[];
  /** Milliseconds between two turns. Default 5000. */
  readonly intervalMs?: number;
  /** Milliseconds a probe may take. Default 2000. */
  readonly probeDeadlineMs?: number;
}

export type Health = ProbeResult["status"];

/** A probe's last answer. */
export interface HealthCheck extends ProbeResult {
  readonly probe: string;
  readonly durationMs: number;
  readonly checkedAtEpochMs: number;
}

/** What `/api/health` shows. */
export interface HealthStatus {
  /** The worst of all checks; healthy when there are none. */
  readonly status: Health;
  readonly timestamp: string;
  /** By probe: status, `duration` in milliseconds, reason, and the probe's own figures. */
  readonly checks: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const severity: Readonly<Record<Health, number>> = { healthy: 0, degraded: 1, unhealthy: 2 };

/** Whoever asks within this time gets the same answers: asking often must not cost more. */
const freshMs = 1_000;

export class HealthMonitor implements Component {
  readonly name = "health-monitor";
  readonly #deps: HealthMonitorDeps;
  readonly #intervalMs: number;
  readonly #probeDeadlineMs: number;
  readonly #stopping = new AbortController();
  readonly #pulse: Pulse;
  readonly #answers = new Map<Probe, HealthCheck>();
  readonly #unanswered = new Set<Probe>();
  #turn: Promise<void> | undefined;
  #turnedAtMs = Number.NEGATIVE_INFINITY;
  #loop: Promise<void> | undefined;

  constructor(deps: HealthMonitorDeps) {
    this.#deps = deps;
    this.#pulse = new Pulse(deps.clock);
    this.#intervalMs = deps.intervalMs ?? 5_000;
    this.#probeDeadlineMs = deps.probeDeadlineMs ?? 2_000;
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#turn;
  }

  /** A beat a turn. */
  heartbeat(): Heartbeat {
    return this.#pulse.heartbeat;
  }

  /** How the bot is, at most a second old. Takes as long as the slowest probe may. */
  async getHealthStatus(): Promise<HealthStatus> {
    const checks = await this.runAllChecks();
    return this.generateHealthReport(checks);
  }

  /** Asks all probes at once, or joins whoever is asking them; once stopped, gives what is known. */
  async runAllChecks(): Promise<readonly HealthCheck[]> {
    const ageMs = this.#deps.clock.monotonicMs() - this.#turnedAtMs;
    const stale = ageMs >= Math.min(freshMs, this.#intervalMs);
    if (stale && !this.#stopping.signal.aborted) {
      this.#turn ??= this.#askAll().finally(() => {
        this.#turn = undefined;
      });
    }
    await this.#turn;
    return this.#deps.probes.flatMap((probe) => this.#answers.get(probe) ?? []);
  }

  generateHealthReport(checks: readonly HealthCheck[]): HealthStatus {
    const worst = Math.max(0, ...checks.map((check) => severity[check.status]));
    const status = (["healthy", "degraded", "unhealthy"] as const)[worst] ?? "unhealthy";
    const entries = checks.map(
      ({ probe, figures, status, durationMs, reason, checkedAtEpochMs }) => {
        const shown = { ...figures, status, duration: Math.round(durationMs) };
        const checkedAt = formatInstant(checkedAtEpochMs);
        return [probe, { ...shown, ...(reason !== undefined && { reason }), checkedAt }];
      },
    );
    const timestamp = formatInstant(this.#deps.clock.epochMs());
    return { status, timestamp, checks: Object.fromEntries(entries) };
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#pulse.expect(this.#probeDeadlineMs);
      await this.runAllChecks();
      this.#pulse.beat(this.#intervalMs);
      await this.#deps.clock.sleep(this.#intervalMs, signal);
    }
  }

  async #askAll(): Promise<void> {
    await Promise.all(this.#deps.probes.map((probe) => this.#ask(probe)));
    this.#turnedAtMs = this.#deps.clock.monotonicMs();
  }

  async #ask(probe: Probe): Promise<void> {
    const { clock, publish } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    const result = await this.#answerOf(probe);
    // A probe that is cut off by the stop has said nothing.
    if (this.#stopping.signal.aborted) return;
    const durationMs = clock.monotonicMs() - startedAtMs;
    const before = this.#answers.get(probe);
    const checkedAtEpochMs = clock.epochMs();
    this.#answers.set(probe, { ...result, probe: probe.name, durationMs, checkedAtEpochMs });
    if (before?.status === result.status) return;
    const { reason, status } = result;
    publish({ type: "health.changed", probe: probe.name, status, reason });
  }

  async #answerOf(probe: Probe): Promise<ProbeResult> {
    if (this.#unanswered.has(probe)) return noAnswer("still no answer to the last check");
    this.#unanswered.add(probe);
    const given = new AbortController();
    const over = AbortSignal.any([given.signal, this.#stopping.signal]);
    const deadline = new AbortController();
    const tooLate = this.#deps.clock
      .sleep(this.#probeDeadlineMs, over)
      .then(() => noAnswer(`no answer within ${this.#probeDeadlineMs} ms`));
    const answer = this.#check(probe, deadline.signal).finally(() =>
      this.#unanswered.delete(probe),
    );
    const result = await Promise.race([answer, tooLate]);
    given.abort();
    deadline.abort();
    return result;
  }

  async #check(probe: Probe, signal: AbortSignal): Promise<ProbeResult> {
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

function noAnswer(reason: string): ProbeResult {
  return { status: "unhealthy", reason };
}

function formatInstant(epochMs: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: formats an instant of the Clock, asks for none.
  return new Date(epochMs).toISOString();
}
