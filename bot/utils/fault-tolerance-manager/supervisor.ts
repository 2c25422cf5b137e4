/**
 * Supervisor: notices components that have stopped working, and restarts each of them alone.
 *
 *   alive --overdue in two looks--> stuck --new instance started--> proving --first beat--> alive
 *                                     ^                               |
 *                                     '--------- no beat in time -----'
 *   stuck --intensity used up, or not restartable--> the process is restarted
 *
 * Owns one loop. `recovery-rules.ts` decides which measure to take.
 */
import type { Clock, Random } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import { withDeadline } from "../../core/deadline.ts";
import type { Ending } from "../../core/ending.ts";
import { BotError, recordError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import { Loop } from "../../core/loop.ts";
import { Ring } from "../../core/ring.ts";
import { decideRestart, restartRules } from "./recovery-rules.ts";

export interface SupervisorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  /** Stops an old instance; returns even if that instance hangs or throws. */
  readonly stop: (component: Component) => Promise<void>;
}

/** One component as the supervisor sees it. */
export interface SupervisedComponent {
  readonly name: string;
  readonly state: "alive" | "stuck" | "restarting";
  readonly restartable: boolean;
  /** Restarts since the process began. */
  readonly restarts: number;
  /** `null` for a component without a heartbeat. */
  readonly overdueMs: number | null;
}

/** The component has no factory, or does not exist. */
export class ComponentNotRestartableError extends BotError {
  override readonly code = "COMPONENT_NOT_RESTARTABLE";
  override readonly transient = false;
}

/** A new instance was started but did not beat in time. */
export class ComponentNotProvenError extends BotError {
  override readonly code = "COMPONENT_NOT_PROVEN";
  override readonly transient = true;
}

/** A restart of this component is already under way. */
export class ComponentRestartingError extends BotError {
  override readonly code = "COMPONENT_RESTARTING";
  override readonly transient = true;
}

const lookEveryMs = 1_000;
/** After the machine has slept, every heartbeat looks late once. */
const overdueLooksMax = 2;
const proveEveryMs = 50;
const restartsKept = 100;

interface WatchedComponent {
  readonly component: Component;
  overdueLooks: number;
  readonly restartsAtMs: Ring<number>;
  recovery: Promise<void> | undefined;
}

export class Supervisor {
  readonly #deps: SupervisorDeps;
  readonly #watched = new Map<string, WatchedComponent>();
  readonly #loop: Loop;

  constructor(deps: SupervisorDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(lookEveryMs)) this.#lookAtAll();
    });
  }

  /** @param components The components that have been started. */
  start(components: readonly Component[]): void {
    for (const component of components) {
      const restartsAtMs = new Ring<number>(restartsKept);
      const fresh = { component, overdueLooks: 0, restartsAtMs, recovery: undefined };
      this.#watched.set(component.name, fresh);
    }
    this.#loop.start();
  }

  /** Ends watching and abandons a restart that is under way. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await Promise.all([...this.#watched.values()].map(({ recovery }) => recovery));
  }

  snapshot(): readonly SupervisedComponent[] {
    return [...this.#watched.values()].map(
      ({ component, overdueLooks, recovery, restartsAtMs }) => ({
        name: component.name,
        state: recovery ? "restarting" : overdueLooks > 0 ? "stuck" : "alive",
        restartable: component.renew !== undefined,
        restarts: restartsAtMs.length,
        overdueMs: component.heartbeat ? Math.round(component.heartbeat().overdueMs) : null,
      }),
    );
  }

  /**
   * Replaces a component with a new instance on request. Resolves when the new instance has proved
   * that it works. Rejects with one of this file's errors, or with what its start threw.
   */
  async restart(name: string, cause = "requested"): Promise<void> {
    const watched = this.#watched.get(name);
    if (!watched?.component.renew) {
      const known = this.snapshot().flatMap((one) => (one.restartable ? [one.name] : []));
      throw new ComponentNotRestartableError(`${name} cannot be restarted alone`, {
        hint: `Restart the whole process, or one of: ${known.join(", ")}.`,
      });
    }
    if (watched.recovery !== undefined || this.#loop.stopped) {
      throw new ComponentRestartingError(`${name} is being restarted, or everything is stopping`);
    }
    const attempt = this.#replace(watched, cause);
    // A failed restart is followed by the same measures as a stuck component.
    watched.recovery = attempt
      .catch((error: unknown) => this.#recover(watched, "component-failed", codeOf(error)))
      .finally(() => {
        watched.recovery = undefined;
      });
    await attempt;
  }

  #lookAtAll(): void {
    for (const watched of this.#watched.values()) this.#look(watched);
  }

  #look(watched: WatchedComponent): void {
    const overdueMs = watched.component.heartbeat?.().overdueMs ?? 0;
    watched.overdueLooks = overdueMs > 0 ? watched.overdueLooks + 1 : 0;
    if (watched.overdueLooks < overdueLooksMax || watched.recovery !== undefined) return;
    const component = watched.component.name;
    this.#deps.publish({ type: "component.stalled", component, overdueMs: Math.round(overdueMs) });
    watched.recovery = this.#recover(watched, "component-stuck", "no heartbeat").finally(() => {
      watched.overdueLooks = 0;
      watched.recovery = undefined;
    });
  }

  async #recover(
    watched: WatchedComponent,
    trouble: "component-stuck" | "component-failed",
    cause: string,
  ): Promise<void> {
    const { clock, publish, random } = this.#deps;
    const { signal } = this.#loop;
    const { component } = watched;
    while (!signal.aborted) {
      const restartsAtMs = watched.restartsAtMs.values;
      const known = { restartable: component.renew !== undefined, restartsAtMs };
      const verdict = decideRestart(trouble, known, clock.monotonicMs(), random);
      if (verdict.measure !== "restart-component") {
        publish({ type: "component.given-up", component: component.name, cause });
        return;
      }
      await clock.sleep(verdict.delayMs, signal);
      if (signal.aborted) return;
      try {
        await this.#replace(watched, cause);
        return;
      } catch {
        // `#replace` has reported it; the next round decides what follows.
      }
    }
  }

  async #replace(watched: WatchedComponent, cause: string): Promise<void> {
    const { clock, publish, stop } = this.#deps;
    const component = watched.component.name;
    const startedAtMs = clock.monotonicMs();
    watched.restartsAtMs.push(startedAtMs);
    publish({ type: "component.restart-begun", component, cause });
    try {
      const old = watched.component.renew?.();
      if (old) await stop(old);
      await this.#startAndProve(watched.component);
    } catch (reason) {
      const error = recordError(reason, clock.epochMs());
      if (!this.#loop.stopped) {
        publish({ type: "component.restart-failed", component, error });
      }
      throw reason;
    }
    const afterMs = clock.monotonicMs() - startedAtMs;
    publish({ type: "component.recovered", component, afterMs });
  }

  /** A start that returns is only a promise; the first beat is the proof. */
  async #startAndProve(component: Component): Promise<void> {
    const { clock } = this.#deps;
    const { provenWithinMs } = restartRules;
    const prove = async ({ signal: over }: Ending) => {
      await component.start();
      while (component.heartbeat?.().beats === 0 && !over.aborted) {
        await clock.sleep(proveEveryMs, over);
      }
    };
    await withDeadline(clock, provenWithinMs, prove, {
      late: () => {
        throw new ComponentNotProvenError(`${component.name}: no beat within ${provenWithinMs} ms`);
      },
      signal: this.#loop.signal,
    });
  }
}

function codeOf(error: unknown): string {
  return error instanceof BotError ? error.code : "DEFECT";
}
