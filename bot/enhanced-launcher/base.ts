/** What nearly every part needs. */
import type { Clock, Random } from "../core/clock.ts";
import type { Publish } from "../core/events.ts";

export interface Base {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
}
