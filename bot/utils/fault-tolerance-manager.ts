/**
 * Fault tolerance manager: starts the components in order, keeps them alive (supervisor.ts), and
 * stops them in reverse order.
 *
 *   created --start--> starting --all started--> running --drain--> draining --stop--> stopped
 *                         |                         '-----------stop------------------^
 *                         '--one failed, or stop--> those begun are stopped ----------^
 *
 * Knows only a component's contract, and does not rely on all of it: a component that throws where
 * it must not, or that never returns from a drain or a stop, is reported and left behind, so that
 * the others are still stopped.
 */
import { type Clock, type Random, systemRandom } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import { withDeadline } from "../core/deadline.ts";
import { BotError, recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import { type SupervisedComponent, Supervisor } from "./fault-tolerance-manager/supervisor.ts";

export interface FaultToleranceManagerDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  /** Milliseconds a component's stop may take before it is left behind. Default 5000. */
  readonly stopDeadlineMs?: number;
  /** Default: `systemRandom`. */
  readonly random?: Random;
}

/** `stop` or `drain` was called before every component had been started. */
export class StartInterruptedError extends BotError {
  override readonly code = "START_INTERRUPTED";
  override readonly transient = true;
}

/** A component's `stop` did not return in time. */
export class ComponentStuckError extends BotError {
  override readonly code = "COMPONENT_STUCK";
  override readonly transient = false;
}

/** Drains have this long after the deadline to notice that it is over. */
const drainGraceMs = 500;

export class FaultToleranceManager implements Component {
  readonly name = "fault-tolerance-manager";
  readonly #deps: FaultToleranceManagerDeps;
  readonly #components: Component[] = [];
  /** Components whose `start` was called, whether or not it has returned. */
  readonly #begun: Component[] = [];
  readonly #supervisor: Supervisor;
  #ending = false;
  #running = false;
  #started: Promise<void> | undefined;
  #drained: Promise<readonly string[]> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: FaultToleranceManagerDeps) {
    this.#deps = deps;
    const { clock, publish, random = systemRandom } = deps;
    const stop = (component: Component) => this.#stopOne(component);
    this.#supervisor = new Supervisor({ clock, random, publish, stop });
  }

  /** Adds components, in the order in which they are to be started. To be called before `start`. */
  add(...components: readonly Component[]): void {
    this.#components.push(...components);
  }

  /** The phase all components are in together. */
  get phase(): "starting" | "running" | "draining" | "stopped" {
    if (this.#stopped !== undefined) return "stopped";
    if (this.#ending) return "draining";
    return this.#running ? "running" : "starting";
  }

  /** Returns the state of every component; empty until all have been started. */
  snapshot(): readonly SupervisedComponent[] {
    return this.#supervisor.snapshot();
  }

  /**
   * Restarts one component while the others go on. Resolves when it has proved that it works.
   * Rejects with an error of utils/fault-tolerance-manager/supervisor.ts, or with what its start
   * threw.
   *
   * @param cause The reason, for the record.
   */
  restart(component: string, cause?: string): Promise<void> {
    return this.#supervisor.restart(component, cause);
  }

  /**
   * Starts all components, first to last. When one fails, those already begun are stopped again.
   *
   * Rejects with the failed component's own reason, or with `StartInterruptedError`.
   */
  start(): Promise<void> {
    this.#started ??= this.#startAll();
    return this.#started;
  }

  /**
   * Drains the components, last to first: a component that feeds others stops before they finish.
   * A component reached after the deadline gets an already aborted signal, and only puts down its
   * work.
   */
  drain(deadline: AbortSignal): Promise<readonly string[]> {
    this.#ending = true;
    // A stopped component has no work left, and must not be asked to drain.
    if (this.#stopped !== undefined) return this.#drained ?? Promise.resolve([]);
    this.#drained ??= this.#drainAll(deadline);
    return this.#drained;
  }

  stop(): Promise<void> {
    this.#ending = true;
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #startAll(): Promise<void> {
    for (const component of this.#components) {
      if (this.#ending) break;
      await this.#startOne(component);
    }
    if (!this.#ending) {
      this.#running = true;
      this.#supervisor.start(this.#begun);
      return;
    }
    await this.stop();
    throw new StartInterruptedError("stopped before everything had been started");
  }

  async #startOne(component: Component): Promise<void> {
    const { clock, publish } = this.#deps;
    const startedAtMs = clock.monotonicMs();
    this.#begun.push(component);
    try {
      await component.start();
    } catch (reason) {
      // Our own stop interrupted this start, so it may fail in any way.
      if (this.#ending) return;
      const error = recordError(reason, clock.epochMs());
      publish({ type: "component.start-failed", component: component.name, error });
      await this.stop();
      throw reason;
    }
    if (this.#ending) return;
    const durationMs = clock.monotonicMs() - startedAtMs;
    publish({ type: "component.started", component: component.name, durationMs });
  }

  async #drainAll(deadline: AbortSignal): Promise<readonly string[]> {
    await this.#supervisor.stop();
    const leftOver: string[] = [];
    for (const component of this.#begun.toReversed()) {
      if (!component.drain) continue;
      const left = await this.#drainOne(component, deadline);
      this.#deps.publish({ type: "component.drained", component: component.name, left });
      leftOver.push(...left.map((what) => `${component.name}: ${what}`));
    }
    return leftOver;
  }

  async #drainOne(component: Component, deadline: AbortSignal): Promise<readonly string[]> {
    const back = new AbortController();
    const draining = (async () => (await component.drain?.(deadline)) ?? [])().catch(
      (error: unknown) => [recordError(error, this.#deps.clock.epochMs()).message],
    );
    const tooLate = aborted(deadline, back.signal)
      .then(() => this.#deps.clock.sleep(drainGraceMs, back.signal))
      .then(() => ["its drain did not return"]);
    const left = await Promise.race([draining, tooLate]);
    back.abort();
    return left;
  }

  async #stopAll(): Promise<void> {
    await this.#supervisor.stop();
    for (const component of this.#begun.toReversed()) await this.#stopOne(component);
  }

  async #stopOne(component: Component): Promise<void> {
    const { clock, publish, stopDeadlineMs = 5_000 } = this.#deps;
    const late = () => {
      throw new ComponentStuckError(`not stopped after ${stopDeadlineMs} ms`);
    };
    try {
      await withDeadline(clock, stopDeadlineMs, async () => component.stop(), { late });
      publish({ type: "component.stopped", component: component.name });
    } catch (reason) {
      const error = recordError(reason, clock.epochMs());
      publish({ type: "component.stop-failed", component: component.name, error });
    }
  }
}

/** Resolves when `signal` aborts, or as soon as `cancel` does. */
function aborted(signal: AbortSignal, cancel: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || cancel.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true, signal: cancel });
    cancel.addEventListener("abort", () => resolve(), { once: true });
  });
}
