/**
 * Dead man's switch: calls an outside address while the bot is not unhealthy, so that its silence is
 * noticed there when the process, the machine or its network is gone.
 *
 * Nothing waits for the calls. That they begin to fail is reported once, and once that they work again.
 */
import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import { withDeadline } from "../core/deadline.ts";
import { BotError, recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import type { Heartbeat } from "../core/heartbeat.ts";
import { Loop } from "../core/loop.ts";
import type { Secret } from "../core/secret.ts";

/** The address of the dead man's switch did not take a call. */
export class SwitchNotHeldError extends BotError {
  override readonly code = "HEARTBEAT_NOT_TAKEN";
  override readonly transient = true;
}

export interface DeadMansSwitchDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  /** Whether health is not unhealthy. */
  readonly alive: () => Promise<boolean>;
  /** Calls the address. Rejects when it does not take the call. Must obey `signal`. */
  readonly call: (signal: AbortSignal) => Promise<void>;
}

/** The first call comes this long after the start too: a process that dies again and again is silent. */
const everyMs = 60_000;
const deadlineMs = 10_000;

export class DeadMansSwitch implements Component {
  readonly name = "dead-mans-switch";
  readonly #deps: DeadMansSwitchDeps;
  readonly #loop: Loop;
  #failing = false;

  constructor(deps: DeadMansSwitchDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      while (await loop.wait(everyMs)) {
        loop.expect(2 * deadlineMs);
        await this.#hold();
      }
    });
  }

  async start(): Promise<void> {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Beats once a minute. */
  heartbeat(): Heartbeat {
    return this.#loop.heartbeat;
  }

  async #hold(): Promise<void> {
    const { alive, call, clock, publish } = this.#deps;
    try {
      // A health that does not answer is no health to vouch for.
      if (!(await this.#inTime(alive, () => false))) return;
      await this.#inTime(call, () => {
        throw new SwitchNotHeldError(`HEARTBEAT_URL did not answer within ${deadlineMs} ms`);
      });
      if (this.#failing) publish({ type: "dead-mans-switch.recovered" });
      this.#failing = false;
    } catch (error) {
      if (this.#failing || this.#loop.stopped) return;
      this.#failing = true;
      publish({ type: "dead-mans-switch.failed", error: recordError(error, clock.epochMs()) });
    }
  }

  #inTime<T>(work: (signal: AbortSignal) => Promise<T>, late: () => T): Promise<T> {
    const options = { late, signal: this.#loop.signal };
    return withDeadline(this.#deps.clock, deadlineMs, ({ signal }) => work(signal), options);
  }
}

/** Rejects with `SwitchNotHeldError`, which omits the address because it may contain a key. */
export async function callSwitch(url: Secret, signal: AbortSignal): Promise<void> {
  const answer = await fetch(url.reveal(), { redirect: "manual", signal }).catch(() => {
    throw new SwitchNotHeldError("HEARTBEAT_URL cannot be reached");
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new SwitchNotHeldError(`HEARTBEAT_URL answered ${answer.status}`);
}
