/**
 * Database links: a process's network to the two hosts of its DATABASE_URL, of which one is the primary.
 *
 * Each host is a seat. When its server is gone and another one is set up in its place, the seat's link
 * leads there, as a name or an address does that a new machine takes over.
 */
import { type Cure, FaultProxy } from "../fault-proxy.ts";
import type { Direction, Toxic } from "../toxics.ts";

/** Index of a host in DATABASE_URL. */
export type Seat = 0 | 1;

export class DatabaseLinks {
  readonly #links: readonly [FaultProxy, FaultProxy];
  readonly #targets: [string, string];

  /** @param targets The servers' addresses, by seat. */
  constructor(targets: readonly [string, string], random: () => number) {
    this.#targets = [...targets];
    this.#links = [new FaultProxy(targets[0], random), new FaultProxy(targets[1], random)];
  }

  /** What the process has as DATABASE_URL. */
  get url(): string {
    const hosts = this.#links.map(({ port }) => `127.0.0.1:${port}`);
    return `postgres://postgres@${hosts.join(",")}/postgres`;
  }

  async start(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.stop()));
  }

  /** The link to one host. */
  to(seat: Seat): FaultProxy {
    return this.#links[seat];
  }

  /** Leads to these servers from now on. Connections to one that stays are kept. */
  leadTo(targets: readonly [string, string]): void {
    for (const seat of [0, 1] as const) {
      if (this.#targets[seat] === targets[seat]) continue;
      this.#targets[seat] = targets[seat];
      this.#links[seat].leadTo(targets[seat]);
    }
  }

  /** Adds a toxic to both. @param direction Default: both. */
  async add(toxic: Toxic, direction?: Direction): Promise<Cure> {
    const cures = await Promise.all(this.#links.map((link) => link.add(toxic, direction)));
    return async () => {
      await Promise.all(cures.map((cure) => cure()));
    };
  }
}
