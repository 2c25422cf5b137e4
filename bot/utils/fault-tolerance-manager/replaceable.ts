/**
 * Replaceable: holds the current instance of a component and can replace it with a new one.
 *
 * An instance is started only once, so users of a restartable component ask for `current` each
 * time.
 */
import type { Component } from "../../core/component.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";

export class Replaceable<T extends Component> implements Component {
  readonly name: string;
  readonly #create: () => T;
  #current: T;

  constructor(create: () => T) {
    this.#create = create;
    this.#current = create();
    this.name = this.#current.name;
  }

  get current(): T {
    return this.#current;
  }

  start(): Promise<void> {
    return this.#current.start();
  }

  async drain(deadline: AbortSignal): Promise<readonly string[]> {
    return (await this.#current.drain?.(deadline)) ?? [];
  }

  stop(): Promise<void> {
    return this.#current.stop();
  }

  /** An instance without a heartbeat of its own counts as alive. */
  heartbeat(): Heartbeat {
    return this.#current.heartbeat?.() ?? { beats: 1, overdueMs: 0 };
  }

  renew(): Component {
    const old = this.#current;
    this.#current = this.#create();
    return old;
  }
}
