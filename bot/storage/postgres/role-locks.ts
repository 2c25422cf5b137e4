/**
 * Role locks: the advisory locks that say which process has which role.
 *
 * They belong to the main session, so they end with it and with nothing else: no clock decides. Session
 * locks stack, so a role that is held is not taken again.
 */
import type { Clock } from "../../core/clock.ts";
import { BotError } from "../../core/errors.ts";
import { Loop } from "../../core/loop.ts";
import { type Role, type RoleListener, type Roles, roles } from "../../core/roles.ts";
import type { Session } from "./session.ts";
import { lockOf } from "./session-locks.ts";

export interface RoleLocksDeps {
  readonly clock: Clock;
  /** The session as it is now. */
  readonly session: () => Session | undefined;
}

/** How often a role is tried for that another process has and does not give up, but may lose. */
const tryEveryMs = 500;

export class RoleLocks implements Roles {
  readonly #deps: RoleLocksDeps;
  readonly #loop: Loop;
  /** Under which session each lock was taken. */
  readonly #locked = new Map<Role, Session>();
  /** Roles that the listener is ready for. */
  readonly #ready = new Set<Role>();
  readonly #givenUp = new Set<Role>();
  #listener: RoleListener | undefined;

  constructor(deps: RoleLocksDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, async (loop) => {
      do await this.#look();
      while (await loop.wait(tryEveryMs));
    });
  }

  start(listener: RoleListener): void {
    this.#listener = listener;
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  /** The session has changed, so the roles may have. */
  wake(): void {
    this.#loop.wake();
  }

  has(role: Role): boolean {
    return this.#ready.has(role) && this.isMine(role) && this.#deps.session()?.mayBegin === true;
  }

  /**
   * Whether what belongs to the role is this process's affair: it holds the lock, though it may not be
   * ready yet. Without a listener nobody shares the work, and everything is.
   */
  isMine(role: Role): boolean {
    if (!this.#listener) return true;
    const session = this.#deps.session();
    return session !== undefined && this.#locked.get(role) === session;
  }

  async giveUp(role: Role): Promise<void> {
    this.#givenUp.add(role);
    const session = this.#locked.get(role);
    this.#forget(role);
    if (session !== this.#deps.session()) return;
    // A session that is lost has given it up already.
    await session?.unlock(lockOf(role)).catch(() => {});
  }

  async #look(): Promise<void> {
    const session = this.#deps.session();
    for (const [role, under] of this.#locked) if (under !== session) this.#forget(role);
    if (!session) return;
    try {
      await this.#take(session);
      for (const role of [...this.#locked.keys()]) {
        if (!this.#ready.has(role)) await this.#prepare(role);
      }
    } catch (error) {
      // Turns meet the same trouble, and report it.
      if (!(error instanceof BotError && error.transient)) throw error;
    }
  }

  async #take(session: Session): Promise<void> {
    const wanted = roles.filter((role) => !this.#locked.has(role) && !this.#givenUp.has(role));
    if (wanted.length === 0) return;
    const taken = await session.tryLocks(wanted.map(lockOf));
    for (const role of wanted) {
      if (!taken.has(lockOf(role))) continue;
      // It may have been given up while it was asked for.
      if (this.#givenUp.has(role)) await session.unlock(lockOf(role));
      else this.#locked.set(role, session);
    }
  }

  async #prepare(role: Role): Promise<void> {
    // On the server before, a process may still send. It may also have polled, and if that server's commits
    // are lost, it submits its updates again, which are older than what a new poll would bring.
    if (role !== "sweeping") await this.#locked.get(role)?.untilServerSettled(this.#loop.signal);
    await this.#listener?.gaining(role);
    if (!this.isMine(role)) return;
    this.#ready.add(role);
    this.#listener?.changed(role, true);
  }

  #forget(role: Role): void {
    this.#locked.delete(role);
    if (this.#ready.delete(role)) this.#listener?.changed(role, false);
  }
}
