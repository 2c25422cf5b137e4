/**
 * Safe mode: holds intake and work back for a while when the processes before this one kept dying.
 *
 * Logger, health and the monitoring API are up meanwhile, so that an operator can see why.
 */
import { type Clock, type Random, waitOver } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import type { Publish } from "../../core/events.ts";
import { decideSafeMode, type Life, safeModeRules } from "./safe-mode-rules.ts";

export interface SafeModeDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  /** Unclean ends in a row that are too many. */
  readonly deathsMax: number;
  /** The lives before this one, oldest first; asked at the start. */
  readonly lives: () => readonly Life[];
}

export interface SafeModeSnapshot {
  readonly state: "off" | "holding" | "watching";
  /** Unclean ends in a row before this start. */
  readonly deaths: number;
  /** Milliseconds until work begins; 0 when it may. */
  readonly heldForMs: number;
}

export class SafeMode implements Component {
  readonly name = "safe-mode";
  readonly #deps: SafeModeDeps;
  readonly #stopping = new AbortController();
  #state: SafeModeSnapshot["state"] = "off";
  #deaths = 0;
  #heldUntilMs = 0;
  #watching: Promise<void> | undefined;

  constructor(deps: SafeModeDeps) {
    this.#deps = deps;
  }

  /** Whether intake and work are held back. */
  get holding(): boolean {
    return this.#state === "holding";
  }

  snapshot(): SafeModeSnapshot {
    const leftMs = this.holding ? this.#heldUntilMs - this.#deps.clock.monotonicMs() : 0;
    return { state: this.#state, deaths: this.#deaths, heldForMs: Math.max(0, leftMs) };
  }

  /** Does not wait for the end of the hold: what comes after it is to be up meanwhile. */
  async start(): Promise<void> {
    const { clock, deathsMax, lives, publish, random } = this.#deps;
    const verdict = decideSafeMode(lives(), deathsMax, clock.epochMs(), random);
    if (!verdict.safe || this.#watching || this.#stopping.signal.aborted) return;
    const { deaths, holdMs } = verdict;
    this.#state = "holding";
    this.#deaths = deaths;
    this.#heldUntilMs = clock.monotonicMs() + holdMs;
    publish({ type: "safe-mode.entered", deaths, holdMs });
    this.#watching = this.#watch(holdMs, this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(waitOver);
    await this.#watching;
  }

  async #watch(holdMs: number, signal: AbortSignal): Promise<void> {
    const { clock, publish } = this.#deps;
    await clock.sleep(holdMs, signal);
    if (signal.aborted) return;
    this.#state = "watching";
    publish({ type: "safe-mode.released" });
    await clock.sleep(safeModeRules.healthyMs, signal);
    if (signal.aborted) return;
    this.#state = "off";
    publish({ type: "safe-mode.left" });
  }
}
