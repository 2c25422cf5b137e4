/** Roles: what only one process does at a time, where several work on one store. */

/**
 * `intake` polls Telegram, `sending` makes the calls that flood control counts, `sweeping` removes what is
 * forgotten. Handling has no role: every process does it.
 */
export const roles = ["intake", "sending", "sweeping"] as const;
export type Role = (typeof roles)[number];

/** The roles of this process, as a store that several processes share gives them. */
export interface Roles {
  /**
   * Whether this process has the role at this instant. It can end without notice, with the session of
   * the process.
   */
  has(role: Role): boolean;
  /** Begins to try for the roles. */
  start(listener: RoleListener): void;
  /** Gives a role to the others and does not try for it again, because this process stops. */
  giveUp(role: Role): Promise<void>;
}

export interface RoleListener {
  /**
   * Called each time a role is gained, before `has` says so; no other process has it meanwhile. When this
   * rejects, the role is tried for again.
   */
  gaining(role: Role): Promise<void>;
  /** Called when `has` has changed. */
  changed(role: Role, has: boolean): void;
}
