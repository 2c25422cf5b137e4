/** All faults: the list in the order in which a drill plays it. */
import type { DrillFault } from "../fault.ts";
import { broadcasts } from "./broadcasts.ts";
import { clocks } from "./clocks.ts";
import { daemons } from "./daemons.ts";
import { defects } from "./defects.ts";
import { disks } from "./disks.ts";
import { hangs } from "./hangs.ts";
import { kills } from "./kills.ts";
import { network } from "./network.ts";
import { poisons } from "./poisons.ts";
import { starts } from "./starts.ts";
import { telegram } from "./telegram.ts";

export const allFaults: readonly DrillFault[] = [
  ...kills,
  ...hangs,
  ...defects,
  ...poisons,
  ...network,
  ...telegram,
  ...broadcasts,
  ...disks,
  ...clocks,
  ...starts,
  ...daemons,
];
