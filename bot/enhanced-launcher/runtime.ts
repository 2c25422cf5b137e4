/** Runtime: time, chance, events and holds, which nearly every part needs. */
import type { Clock, Random } from "../core/clock.ts";
import type { Publish } from "../core/events.ts";
import type { Holds } from "../core/holds.ts";

export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  /** Every protective device that may hold work back registers here. */
  readonly holds: Holds;
}
