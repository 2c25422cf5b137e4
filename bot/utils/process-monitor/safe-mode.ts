/**
 * Safe mode: holds back intake and work for a while when the processes before this one kept dying.
 *
 * Logger, health and the monitoring API run meanwhile, so that an operator can see why.
 */
import type { Clock, Random } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import type { Publish } from "../../core/events.ts";
import { Loop } from "../../core/loop.ts";
import { decideSafeMode, type Life, safeModeRules } from "./safe-mode-rules.ts";

export interface SafeModeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  /** Number of unclean ends in a row from which safe mode applies. */
  readonly deathsMax: number;
  /** Returns the runs before this one, oldest first; called at the start. */
  readonly lives: () => readonly Life[];
}

export interface SafeModeSnapshot {
  readonly state: "off" | "holding" | "watching";
  /** Unclean ends in a row before this start. */
  readonly deaths: number;
  /** Milliseconds until work may begin; 0 when it may already. */
  readonly heldForMs: number;
}

export class SafeMode implements Component {
  readonly name = "safe-mode";
  readonly #deps: SafeModeDeps;
  readonly #loop: Loop;
  #state: SafeModeSnapshot["state"] = "off";
  #deaths = 0;
  #heldUntilMs = 0;

  constructor(deps: SafeModeDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, (loop) => this.#watch(loop));
  }

  /** Whether intake and work are held back. */
  get holding(): boolean {
    return this.#state === "holding";
  }

  snapshot(): SafeModeSnapshot {
    const leftMs = this.holding ? this.#heldUntilMs - this.#deps.clock.monotonicMs() : 0;
    return { state: this.#state, deaths: this.#deaths, heldForMs: Math.max(0, leftMs) };
  }

  /** Does not wait for the end of the hold: the components started after it must run meanwhile. */
  async start(): Promise<void> {
    const { clock, deathsMax, lives, publish, random } = this.#deps;
    const verdict = decideSafeMode(lives(), deathsMax, clock.epochMs(), random);
    if (!verdict.safe || this.#state !== "off" || this.#loop.stopped) return;
    const { deaths, holdMs } = verdict;
    this.#state = "holding";
    this.#deaths = deaths;
    this.#heldUntilMs = clock.monotonicMs() + holdMs;
    publish({ type: "safe-mode.entered", deaths, holdMs });
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #watch(loop: Loop): Promise<void> {
    const { publish } = this.#deps;
    if (!(await loop.wait(this.snapshot().heldForMs))) return;
    this.#state = "watching";
    publish({ type: "safe-mode.released" });
    if (!(await loop.wait(safeModeRules.healthyMs))) return;
    this.#state = "off";
    publish({ type: "safe-mode.left" });
  }
}
