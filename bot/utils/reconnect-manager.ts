/**
 * Reconnect manager: tracks the state of every named connection, and restores those that are down.
 *
 * The parts that use a connection report each call. A connection unused for a while is checked by a
 * heartbeat, so that a silent failure (a half-open long poll) is noticed. The states are in
 * utils/reconnect-manager/connection-rules.ts. Owns one loop per connection; never gives up.
 */

import { type BackoffOptions, fullJitter } from "../core/backoff.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import { type ErrorRecord, recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import { type Heartbeat, worstOf } from "../core/heartbeat.ts";
import { Loop } from "../core/loop.ts";
import { Ring } from "../core/ring.ts";
import {
  type ConnectionEvent,
  type ConnectionState,
  connectedState,
  nextConnectionState,
} from "./reconnect-manager/connection-rules.ts";

/** A connection to watch and restore. */
export interface Connection {
  readonly name: string;
  /**
   * Makes a new connection and proves that it works; rejects when that fails. Must obey `signal`.
   */
  readonly reconnect: (signal: AbortSignal, attempts: number) => Promise<void>;
  /** Milliseconds without a success after which `heartbeat` is called. Default: never. */
  readonly heartbeatMs?: number;
  /** Proves that the existing connection works. Required with `heartbeatMs`. */
  readonly heartbeat?: (signal: AbortSignal) => Promise<void>;
}

export interface ReconnectManagerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  readonly connections: readonly Connection[];
}

/** State and quality of a connection. */
export interface ConnectionQuality {
  readonly state: ConnectionState["kind"];
  /** Milliseconds in this state. */
  readonly sinceMs: number;
  /** Failed attempts to reconnect since the connection went down. */
  readonly attempts: number;
  /** Smoothed latency of the latest calls, in milliseconds; `null` before the first. */
  readonly latencyMs: number | null;
  /** Share of the latest hundred calls that succeeded, 0 to 1; `null` before the first. */
  readonly successRate: number | null;
  readonly lastError: ErrorRecord | null;
}

/** The cap is low because the bot must reconnect within five seconds of the network's return. */
const backoff: BackoffOptions = { initialMs: 500, maxMs: 4_000 };
const callsRemembered = 100;
/** Weight of the newest call in the smoothed latency. */
const smoothing = 0.2;

interface KeptConnection {
  readonly connection: Connection;
  state: ConnectionState;
  sinceMs: number;
  lastSuccessMs: number;
  latencyMs: number | null;
  lastError: ErrorRecord | null;
  readonly outcomes: Ring<boolean>;
  /** When the connection last went down. */
  downAtMs: number;
  readonly loop: Loop;
}

export class ReconnectManager implements Component {
  readonly name = "reconnect-manager";
  readonly #deps: ReconnectManagerDeps;
  readonly #lines = new Map<string, KeptConnection>();

  constructor(deps: ReconnectManagerDeps) {
    this.#deps = deps;
    const nowMs = deps.clock.monotonicMs();
    for (const connection of deps.connections) {
      const line: KeptConnection = {
        connection,
        state: connectedState,
        sinceMs: nowMs,
        lastSuccessMs: nowMs,
        latencyMs: null,
        lastError: null,
        outcomes: new Ring(callsRemembered),
        downAtMs: nowMs,
        loop: new Loop(deps.clock, () => this.#keep(line)),
      };
      this.#lines.set(connection.name, line);
    }
  }

  async start(): Promise<void> {
    for (const { loop } of this.#lines.values()) loop.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#lines.values()].map(({ loop }) => loop.stop()));
  }

  /** Beats once per check; reports the connection that is most overdue. */
  heartbeat(): Heartbeat {
    return worstOf([...this.#lines.values()].map(({ loop }) => loop.heartbeat));
  }

  /**
   * Reports that a call over this connection succeeded.
   *
   * @param durationMs Omitted for calls that wait on purpose, such as long polls.
   */
  succeeded(name: string, durationMs?: number): void {
    const line = this.#lines.get(name);
    if (!line) return;
    line.lastSuccessMs = this.#deps.clock.monotonicMs();
    if (durationMs !== undefined) {
      const before = line.latencyMs ?? durationMs;
      line.latencyMs = before + smoothing * (durationMs - before);
    }
    line.outcomes.push(true);
    this.#feed(line, "succeeded");
  }

  /** Reports that a call failed in a way that makes the connection itself suspect. */
  failed(name: string, error: unknown): void {
    const line = this.#lines.get(name);
    if (!line) return;
    line.lastError = recordError(error, this.#deps.clock.epochMs());
    line.outcomes.push(false);
    this.#feed(line, "failed");
  }

  /** Returns every connection's quality by name, as `/api/connections` shows it. */
  snapshot(): Readonly<Record<string, ConnectionQuality>> {
    const nowMs = this.#deps.clock.monotonicMs();
    const qualities = [...this.#lines.values()].map((line): [string, ConnectionQuality] => {
      const { connection, lastError, latencyMs, outcomes, sinceMs, state } = line;
      const good = outcomes.values.filter(Boolean).length;
      return [
        connection.name,
        {
          state: state.kind,
          sinceMs: Math.round(nowMs - sinceMs),
          attempts: "attempts" in state ? state.attempts : 0,
          latencyMs: latencyMs === null ? null : Math.round(latencyMs * 10) / 10,
          successRate: outcomes.length === 0 ? null : good / outcomes.length,
          lastError,
        },
      ];
    });
    return Object.fromEntries(qualities);
  }

  /** Returns milliseconds until the attempt after `attempts` failures: full jitter, at most 4 s. */
  calculateReconnectDelay(attempts: number): number {
    return fullJitter(backoff, attempts + 1, this.#deps.random);
  }

  /** Tries once to restore a connection. @returns whether it is connected. */
  async attemptReconnect(connectionType: string): Promise<boolean> {
    const line = this.#lines.get(connectionType);
    if (!line) return false;
    this.#feed(line, "attempt-begun");
    const attempts = "attempts" in line.state ? line.state.attempts : 0;
    this.#deps.publish({
      type: "connection.reconnect-begun",
      connection: connectionType,
      attempts,
    });
    return this.executeReconnect(connectionType);
  }

  /** Makes the attempt and records its outcome. */
  async executeReconnect(connectionType: string): Promise<boolean> {
    const line = this.#lines.get(connectionType);
    if (!line) return false;
    const { clock } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    const attempts = "attempts" in line.state ? line.state.attempts : 0;
    try {
      await line.connection.reconnect(line.loop.signal, attempts);
      this.succeeded(connectionType, clock.monotonicMs() - startedAtMs);
      return true;
    } catch (error) {
      this.failed(connectionType, error);
      return false;
    }
  }

  async #keep(line: KeptConnection): Promise<void> {
    const { loop } = line;
    for (;;) {
      if (line.state.kind === "down") {
        if (!(await loop.pause(this.calculateReconnectDelay(line.state.attempts)))) return;
        // Another call may have succeeded in the meantime.
        if (this.#isDown(line)) await this.attemptReconnect(line.connection.name);
        continue;
      }
      if (!(await loop.wait(this.#untilHeartbeatMs(line)))) return;
      if (!this.#isDown(line) && this.#untilHeartbeatMs(line) <= 0) await this.#ask(line);
    }
  }

  #isDown({ state }: KeptConnection): boolean {
    return state.kind === "down";
  }

  #untilHeartbeatMs(line: KeptConnection): number {
    const { heartbeatMs = Number.POSITIVE_INFINITY } = line.connection;
    const nowMs = this.#deps.clock.monotonicMs();
    return line.lastSuccessMs + heartbeatMs - nowMs;
  }

  async #ask(line: KeptConnection): Promise<void> {
    const { clock } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    try {
      await line.connection.heartbeat?.(line.loop.signal);
      this.succeeded(line.connection.name, clock.monotonicMs() - startedAtMs);
    } catch (error) {
      this.failed(line.connection.name, error);
      if (!this.#isDown(line)) await line.loop.wait(this.calculateReconnectDelay(0));
    }
  }

  #feed(line: KeptConnection, event: ConnectionEvent): void {
    const before = line.state;
    line.state = nextConnectionState(before, event);
    if (line.state.kind === before.kind) return;
    const { clock, publish } = this.#deps;
    const nowMs = clock.monotonicMs();
    line.sinceMs = nowMs;
    const connection = line.connection.name;
    if (line.state.kind === "down" && before.kind === "unsteady") {
      line.downAtMs = nowMs;
      publish({ type: "connection.lost", connection, error: line.lastError });
      line.loop.wake();
    }
    const wasDown = before.kind === "down" || before.kind === "reconnecting";
    if (line.state.kind === "connected" && wasDown) {
      publish({ type: "connection.restored", connection, afterMs: nowMs - line.downAtMs });
      line.loop.wake();
    }
  }
}
