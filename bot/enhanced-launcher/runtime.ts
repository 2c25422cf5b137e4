/** Runtime: what nearly every part needs of the process it runs in. */
import type { Clock, Random } from "../core/clock.ts";
import type { Publish } from "../core/events.ts";

export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
}
