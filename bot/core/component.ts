/**
 * Component: a part with a life of its own, started, drained and stopped by the
 * FaultToleranceManager.
 *
 * An instance lives once: created, started, drained, stopped, never started again. A restart is a
 * new instance.
 */
import type { Heartbeat } from "./heartbeat.ts";

export interface Component {
  readonly name: string;
  /** Resolves once the component can serve. Rejects with a `BotError` when it cannot. */
  start(): Promise<void>;
  /**
   * Takes no new work and finishes what is under way until `deadline` aborts.
   *
   * @returns what was left unfinished, one short description each; empty when all is done.
   */
  drain?(deadline: AbortSignal): Promise<readonly string[]>;
  /** Lets go of timers, sockets and files. Safe before `start`, and twice. Never rejects. */
  stop(): Promise<void>;
  /** Its sign of life. Missing where nothing goes on by itself. */
  heartbeat?(): Heartbeat;
  /**
   * Puts a new instance in its own place, not started yet. Missing where that is not possible while
   * the others go on.
   *
   * @returns the old instance; the caller stops it.
   */
  renew?(): Component;
}

/** One component's answer to "how are you". */
export interface ProbeResult {
  readonly status: "healthy" | "degraded" | "unhealthy";
  /** One sentence for the operator; required reading unless healthy. */
  readonly reason?: string;
  /** Figures behind the verdict, units in their names. */
  readonly figures?: Readonly<Record<string, number | string | boolean | null>>;
}

/** Something the HealthMonitor asks at intervals. */
export interface Probe {
  readonly name: string;
  /** Milliseconds between two checks. Default: the monitor's. */
  readonly intervalMs?: number;
  /** Milliseconds a check may take. Default: the monitor's. */
  readonly deadlineMs?: number;
  /** Worse answers in a row before they are believed. Default 1. */
  readonly worsenAfter?: number;
  /** Better answers in a row before they are believed. Default 2. */
  readonly improveAfter?: number;
  /**
   * Milliseconds of being unhealthy without a break after which the process is restarted.
   * Default: never; a restart mends no network and no other machine.
   */
  readonly restartAfterMs?: number;
  /** Resolves with the verdict. A rejection counts as unhealthy. Must obey `signal`. */
  check(signal: AbortSignal): Promise<ProbeResult>;
}
