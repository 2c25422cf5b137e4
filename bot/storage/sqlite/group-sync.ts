/**
 * Group sync: makes commits durable, several with one sync, and then tells those who wait for that.
 *
 * A sync runs in another thread (docs/decisions/0025) while further transactions are committed; the next
 * one covers all of them. What has time waits for the sync that another commit needs
 * (docs/decisions/0035).
 */
import type { Clock } from "../../core/clock.ts";
import { type Heartbeat, Pulse } from "../../core/heartbeat.ts";

export interface GroupSyncDeps {
  readonly clock: Clock;
  /** Resolves once everything that was committed before the call is on the disk. */
  readonly sync: () => Promise<void>;
  /** Called when a sync has failed, before its commits: what they have written may be lost. */
  readonly failed: (error: unknown) => void;
  /** Runs work after the I/O callbacks of this turn of the event loop. */
  readonly defer: (work: () => void) => void;
}

/** Those who wait until a commit is durable. */
export interface Committed {
  readonly durable: () => void;
  readonly failed: (error: unknown) => void;
}

/** `now`: begin a sync, or the next one when this one is over. `shared`: another commit will need one soon. */
export type SyncWanted = "now" | "shared";

/**
 * Turns of the event loop that a shared sync is waited for. What a handler commits comes in the next turn, or in
 * the third when it reads first.
 */
const turnsShared = 3;

export class GroupSync {
  readonly #deps: GroupSyncDeps;
  readonly #pulse: Pulse;
  /** What no sync has covered yet. */
  #committed: Committed[] = [];
  #wanted = false;
  #syncing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(deps: GroupSyncDeps) {
    this.#deps = deps;
    this.#pulse = new Pulse(deps.clock);
  }

  /** Tells `commit` after a sync that begins later than now. */
  add(commit: Committed, wanted: SyncWanted): void {
    this.#committed.push(commit);
    if (wanted === "now") this.#want();
    else this.#wantAfter(turnsShared);
  }

  /** Whether nobody waits for a sync. */
  get idle(): boolean {
    return this.#committed.length === 0 && this.#syncing === undefined;
  }

  /** Resolves when all that was committed up to now is durable, or has failed. */
  async finish(): Promise<void> {
    while (!this.idle) {
      if (this.#committed.length > 0) this.#want();
      await this.#syncing;
    }
  }

  /** Beats once per sync; overdue while one does not end. */
  get heartbeat(): Heartbeat {
    return this.#pulse.heartbeat;
  }

  #wantAfter(turns: number): void {
    // Another commit has brought it about.
    if (this.#committed.length === 0 || this.#wanted) return;
    if (turns === 0) this.#want();
    else this.#deps.defer(() => this.#wantAfter(turns - 1));
  }

  #want(): void {
    this.#wanted = true;
    this.#syncing ??= this.#syncAll();
  }

  async #syncAll(): Promise<void> {
    while (this.#wanted) {
      this.#wanted = false;
      const covered = this.#committed;
      this.#committed = [];
      this.#pulse.expect(0);
      await this.#sync(covered);
      this.#pulse.beat(Number.POSITIVE_INFINITY);
    }
    this.#syncing = undefined;
  }

  async #sync(covered: readonly Committed[]): Promise<void> {
    try {
      // The next sync would succeed without the pages that the failed one has dropped ("fsyncgate").
      if (this.#failure) throw this.#failure.error;
      await this.#deps.sync();
    } catch (error) {
      this.#failure ??= { error };
      this.#deps.failed(error);
      for (const { failed } of covered) failed(error);
      return;
    }
    for (const { durable } of covered) durable();
  }
}
