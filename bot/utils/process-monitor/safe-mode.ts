/**
 * Safe mode: makes a process that follows several early deaths handle fewer updates at a time.
 *
 *   off --deathsMax early deaths before this start--> careful --full speed--> watching --ten minutes--> off
 */
import type { Clock } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import type { Publish } from "../../core/events.ts";
import type { HoldLook, Holds } from "../../core/holds.ts";
import { Loop } from "../../core/loop.ts";
import { countDeaths, type Life, safeModeRules } from "./safe-mode-rules.ts";

export interface SafeModeDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly holds: Holds;
  /** Number of unclean ends in a row from which safe mode applies. */
  readonly deathsMax: number;
  /** Updates handled at a time at full speed; 1 or more. */
  readonly concurrency: number;
  /** Returns the runs before this one, oldest first; called at the start. */
  readonly lives: () => readonly Life[];
}

export interface SafeModeSnapshot {
  readonly state: "off" | "careful" | "watching";
  /** Unclean ends in a row before this start. */
  readonly deaths: number;
  /** Updates that may be handled at a time. */
  readonly concurrency: number;
}

export class SafeMode implements Component {
  readonly name = "safe-mode";
  readonly #deps: SafeModeDeps;
  readonly #loop: Loop;
  #state: SafeModeSnapshot["state"] = "off";
  #deaths = 0;
  #concurrency: number;
  #sinceMs = 0;
  #deathsInARow = 0;
  #handled = 0;

  constructor(deps: SafeModeDeps) {
    this.#deps = deps;
    this.#concurrency = deps.concurrency;
    this.#loop = new Loop(deps.clock, (loop) => this.#watch(loop));
    deps.holds.add({
      kind: "safe-mode",
      targets: ["handling"],
      look: () => this.#hold(),
      release: () => this.#relax(deps.concurrency),
    });
  }

  snapshot(): SafeModeSnapshot {
    return { state: this.#state, deaths: this.#deaths, concurrency: this.#concurrency };
  }

  /** Unclean ends in a row before this start; 0 before `start`. */
  get deathsInARow(): number {
    return this.#deathsInARow;
  }

  /** Records that an update was handled, which is evidence that the process does not die of it. */
  handled(): void {
    if (this.#state !== "careful") return;
    if (++this.#handled >= safeModeRules.stepUpdates * this.#concurrency) this.#loop.wake();
  }

  async start(): Promise<void> {
    const { clock, deathsMax, lives, publish } = this.#deps;
    const deaths = countDeaths(lives(), clock.epochMs());
    this.#deathsInARow = deaths;
    if (deaths < deathsMax || this.#state !== "off" || this.#loop.stopped) return;
    this.#state = "careful";
    this.#deaths = deaths;
    this.#concurrency = 1;
    this.#sinceMs = clock.monotonicMs();
    publish({ type: "safe-mode.entered", deaths });
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #relax(concurrency: number): void {
    if (this.#concurrency === this.#deps.concurrency) return;
    this.#handled = 0;
    this.#concurrency = Math.min(this.#deps.concurrency, concurrency);
    if (this.#concurrency === this.#deps.concurrency) this.#state = "watching";
    this.#deps.publish({ type: "safe-mode.relaxed", concurrency: this.#concurrency });
  }

  #hold(): HoldLook | undefined {
    if (this.#state !== "careful") return undefined;
    const reason = `${this.#deaths} processes in a row have died`;
    return { limit: this.#concurrency, sinceMs: this.#sinceMs, reason };
  }

  async #watch(loop: Loop): Promise<void> {
    const { concurrency, publish } = this.#deps;
    while (this.#concurrency < concurrency) {
      if (!(await loop.wait(safeModeRules.stepMs))) return;
      this.#relax(2 * this.#concurrency);
    }
    if (!(await loop.wait(safeModeRules.healthyMs))) return;
    this.#state = "off";
    publish({ type: "safe-mode.left" });
  }
}
