/** Runtime: time, chance and events, which nearly every part needs. */
import type { Clock, Random } from "../core/clock.ts";
import type { Publish } from "../core/events.ts";

export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
}
