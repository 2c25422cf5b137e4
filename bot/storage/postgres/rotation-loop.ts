/**
 * Rotation loop: carries on a rotation of the data keys in the process that sweeps, until it is done.
 *
 * It costs nothing while none is under way: the processes are told when one begins.
 */
import type { Clock } from "../../core/clock.ts";
import { BotError, recordError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import { Loop } from "../../core/loop.ts";
import type { DataKeys } from "./data-keys.ts";
import type { KeyRotation } from "./key-rotation.ts";

export interface RotationLoopDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly dataKeys: DataKeys;
  readonly rotation: KeyRotation;
  /** Whether it is this process that carries on. */
  readonly sweeps: () => boolean;
}

/** How often what a rotation waits for is looked at. */
const lookEveryMs = 500;
/** Pause between two batches, in which other work commits. */
const pauseMs = 25;
/** Pause after a failure. */
const retryMs = 30_000;

export class RotationLoop {
  readonly #deps: RotationLoopDeps;
  readonly #loop: Loop;
  /** The processes that the rotation was last said to wait for. */
  #said = "";

  constructor(deps: RotationLoopDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      const underWay = () => deps.dataKeys.stored.length > 1;
      while (await loop.wait(underWay() ? lookEveryMs : Number.POSITIVE_INFINITY)) {
        if (underWay() && deps.sweeps()) await this.#advance(loop);
      }
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** The data keys have been read. */
  wake(): void {
    this.#loop.wake();
  }

  /** Never rejects. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #advance(loop: Loop): Promise<void> {
    const { clock, publish, rotation, sweeps } = this.#deps;
    try {
      const between = async () => (await loop.pause(pauseMs)) && sweeps();
      const state = await rotation.advance(between);
      const numbers = state.kind === "waiting" ? state.processes.map(({ number }) => number) : [];
      const said = numbers.join(", ");
      if (said !== "" && said !== this.#said) {
        publish({ type: "keys.rotation-waits", keyId: state.keyId, processes: numbers });
      }
      this.#said = said;
    } catch (error) {
      if (loop.stopped) return;
      publish({ type: "keys.sweep-failed", error: recordError(error, clock.epochMs()) });
      await loop.pause(error instanceof BotError && error.transient ? lookEveryMs : retryMs);
    }
  }
}
