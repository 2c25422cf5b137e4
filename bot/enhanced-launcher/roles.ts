/** Roles: joins what this process does for all others to the parts that do it. */
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { Component } from "../core/component.ts";
import type { HoldDevice, HoldTarget } from "../core/holds.ts";
import type { Role, Roles } from "../core/roles.ts";
import type { Store } from "../core/store.ts";
import type { Intake } from "../telegram/intake/intake.ts";
import type { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import type { MessageQueue } from "../utils/message-queue.ts";
import type { Runtime } from "./runtime.ts";

export interface RolesParts extends Runtime {
  readonly store: Store;
  readonly queue: MessageQueue;
  readonly intake: Replaceable<Intake>;
  /** Whether this process is only looked at: it leaves all roles to the others. */
  readonly held: boolean;
  /** Reads back what was sent to whom, by any process. */
  readonly restoreLimits: () => Promise<void>;
}

/** How often it is asked, while the process stops, whether its sends have ended. */
const lookEveryMs = 20;

/**
 * Starts after the queue and before the intake, and drains between them: the intake has stopped by then,
 * and the sends under way are ended here, so the next process goes on while the handlers finish.
 *
 * @returns nothing where the process works alone.
 */
export function createRoles(
  { intake: { mode } }: FaultToleranceConfig,
  parts: RolesParts,
): readonly Component[] {
  const { clock, held, holds, intake, publish, queue, restoreLimits, store } = parts;
  if (!store.shared) return [];
  const { roles } = store.shared;
  holds.add(elsewhere(roles, "sending", "sending", "another process sends"));
  // Telegram posts to a webhook, and any process may take what it posts.
  if (mode === "polling") holds.add(elsewhere(roles, "intake", "intake", "another process polls"));
  const gaining = async (role: Role) => {
    if (role !== "sending") return;
    // What the process before had in hand may have been sent, and counts.
    await queue.takeOver();
    await restoreLimits();
  };
  const changed = (role: Role, has: boolean) => {
    publish({ type: has ? "role.gained" : "role.lost", role });
    if (role === "sending") queue.wake("sending");
    if (role === "intake" && mode === "polling") intake.current.nudge();
  };
  const drain = async (deadline: AbortSignal) => {
    await Promise.all([roles.giveUp("intake"), roles.giveUp("sweeping")]);
    while (queue.inHandOf("sending") > 0 && !deadline.aborted) {
      await clock.sleep(lookEveryMs, deadline);
    }
    if (queue.inHandOf("sending") === 0) await roles.giveUp("sending");
    return [];
  };
  const start = async () => {
    if (!held) roles.start({ gaining, changed });
  };
  return [{ name: "roles", start, drain, stop: async () => {} }];
}

function elsewhere(roles: Roles, role: Role, target: HoldTarget, reason: string): HoldDevice {
  return {
    kind: "other-process",
    targets: [target],
    look: () => (roles.has(role) ? undefined : { limit: 0, sinceMs: 0, reason }),
  };
}
