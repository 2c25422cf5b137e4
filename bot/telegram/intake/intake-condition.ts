/** Intake condition: how a source of updates is, and since when; reports what changes. */
import type { Clock } from "../../core/clock.ts";
import { type ErrorRecord, recordError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { UpdateSourceSnapshot } from "../../core/intake.ts";

export class IntakeCondition {
  readonly #clock: Clock;
  readonly #publish: Publish;
  #state: UpdateSourceSnapshot["state"] = "starting";
  #reason: string | undefined;
  #heardAtMs: number | undefined;
  #failures = 0;
  #failingSinceMs = 0;
  #heldBack = false;

  constructor({ clock, publish }: { readonly clock: Clock; readonly publish: Publish }) {
    this.#clock = clock;
    this.#publish = publish;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether nothing is known yet, or the last thing known is a failure. */
  get doubtful(): boolean {
    return this.#heardAtMs === undefined || this.#failures > 0;
  }

  get heldBack(): boolean {
    return this.#heldBack;
  }

  enter(state: UpdateSourceSnapshot["state"]): void {
    this.#state = state;
  }

  /** What was known before may no longer hold. */
  doubt(): void {
    this.#heardAtMs = undefined;
  }

  /** Telegram was heard of. */
  succeeded(state: UpdateSourceSnapshot["state"]): void {
    const nowMs = this.#clock.monotonicMs();
    this.#heardAtMs = nowMs;
    if (this.#failures > 0) {
      const afterMs = nowMs - this.#failingSinceMs;
      this.#publish({ type: "intake.recovered", afterMs, failures: this.#failures });
    }
    this.#failures = 0;
    this.#reason = undefined;
    this.#state = state;
  }

  failed(error: unknown, retryInMs: number): void {
    if (this.#failures === 0) this.#failingSinceMs = this.#clock.monotonicMs();
    this.#failures++;
    const record: ErrorRecord = recordError(error, this.#clock.epochMs());
    this.#state = "backing-off";
    this.#reason = record.code;
    const failuresInARow = this.#failures;
    this.#publish({ type: "intake.failed", error: record, retryInMs, failuresInARow });
  }

  /** Told before every piece of work how much there is room for. @returns whether there is any. */
  hasRoom(free: number): boolean {
    if (free > 0 === this.#heldBack) {
      this.#heldBack = !this.#heldBack;
      this.#publish(
        this.#heldBack ? { type: "intake.held-back" } : { type: "intake.resumed", free },
      );
    }
    return free > 0;
  }

  snapshot(): UpdateSourceSnapshot {
    const heard = this.#heardAtMs;
    return {
      state: this.#heldBack ? "back-pressure" : this.#state,
      reason: this.#reason,
      sinceLastPollMs: heard === undefined ? undefined : this.#clock.monotonicMs() - heard,
      failuresInARow: this.#failures,
    };
  }
}
