/**
 * Replaceable: a component's place, in which one instance can follow another.
 *
 * A component lives once; whoever uses one that may be restarted asks the place for `current`.
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

  /** Without one of its own, an instance that was started lives. */
  heartbeat(): Heartbeat {
    return this.#current.heartbeat?.() ?? { beats: 1, overdueMs: 0 };
  }

  renew(): Component {
    const old = this.#current;
    this.#current = this.#create();
    return old;
  }
}
