/** What nearly every part needs. */
import type { Clock, Random } from "../contracts/clock.ts";
import type { Publish } from "../contracts/events.ts";

export interface Base {
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
}
