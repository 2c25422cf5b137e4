/**
 * Intake: commits updates to the queue before it confirms them to Telegram (promise P1).
 *
 * Its source (polling.ts, webhook.ts) receives the updates. The intake owns what both sources
 * share: the loop, the commit of a batch, the check for room, and what is known about Telegram. Its
 * loop ends only by `stop`. It never ends the process.
 */
import type { BotApi } from "../../core/bot-api.ts";
import type { Clock, Random } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import { recordError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";
import type { HoldLook, Holds } from "../../core/holds.ts";
import type { IntakeSnapshot, RawUpdate } from "../../core/intake.ts";
import { Loop } from "../../core/loop.ts";
import type { NewMessage } from "../../core/message.ts";
import { RecentLook } from "../../core/recent-look.ts";
import { Ring } from "../../core/ring.ts";
import type { EnqueueResult } from "../../core/store.ts";
import { decidePollDelay } from "./intake-rules.ts";
import { parseUpdate, toUpdateMessage } from "./update-message.ts";

export interface IntakeDeps {
  /** The bare client, not the breaker, because the intake notices when Telegram is back. */
  readonly api: BotApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  readonly botId: string;
  /** Commits messages in one transaction; resolves when they are on disk. */
  readonly accept: (messages: readonly NewMessage[]) => Promise<readonly EnqueueResult[]>;
  /** Resolves with the number of updates the queue has room for. */
  readonly room: () => Promise<number>;
  readonly holds: Holds;
  /**
   * Whether the store can lose commits that it has confirmed, so that the last updates are kept in memory
   * to be submitted again. Default: no.
   */
  readonly keepsAccepted?: boolean;
  /** Whether another process takes in the updates. Default: no. */
  readonly standsBy?: () => boolean;
  /** Called whenever Telegram has answered or posted an update. */
  readonly onHeard: () => void;
}

/** Receives updates in one way. A source belongs to one intake only. */
export interface IntakeSource {
  /** The name of the intake's state while all is well. */
  readonly state: "polling" | "listening";
  /** Resolves when updates can come; rejects when they cannot. Default: does nothing. */
  start?(intake: Intake): Promise<void>;
  /**
   * Polls or checks Telegram once. Rejects when that fails; it is called again after a back-off.
   *
   * @returns milliseconds until the next look.
   */
  look(intake: Intake, loop: Loop): Promise<number>;
  /** Called after a failed look has been reported. Never rejects. */
  mend?(error: unknown, intake: Intake, signal: AbortSignal): Promise<void>;
  /** Ends the look under way, because its connection may be dead. */
  nudge?(): void;
  /** Never rejects. */
  stop?(): Promise<void>;
}

/** Updates that are kept to be submitted again, and for how long: much longer than a replica is behind. */
const acceptedMax = 5_000;
const acceptedKeepMs = 600_000;

export class Intake implements Component {
  readonly name = "intake";
  /** Public because the source uses it. */
  readonly deps: IntakeDeps;
  readonly #source: IntakeSource;
  readonly #loop: Loop;
  readonly #recentRoom: RecentLook<number>;
  #state: IntakeSnapshot["state"] = "starting";
  #reason: string | undefined;
  #heardAtMs: number | undefined;
  #failures = 0;
  #failingSinceMs = 0;
  #retryAtMs = 0;
  #fullSinceMs: number | undefined;
  #held = false;
  /** The last updates that were committed. */
  readonly #accepted = new Ring<{ readonly atMs: number; readonly update: RawUpdate }>(acceptedMax);
  /** Whether the store has refused them when they were submitted again. */
  #owesAccepted = false;

  constructor(deps: IntakeDeps, source: IntakeSource) {
    this.deps = deps;
    this.#source = source;
    this.#loop = new Loop(deps.clock, (loop) => this.#run(loop));
    this.#recentRoom = new RecentLook(deps.clock, deps.room);
    deps.holds.add({
      kind: "queue-full",
      targets: ["intake"],
      // The intake asks for room before it takes anything, whatever this says.
      advisory: true,
      look: () =>
        this.#fullSinceMs === undefined
          ? undefined
          : { sinceMs: this.#fullSinceMs, reason: "as many updates wait as may" },
    });
    deps.holds.add({
      kind: "intake-failing",
      targets: ["intake"],
      look: () => this.#failing(),
      release: () => this.nudge(),
    });
  }

  // ---- life ---------------------------------------------------------------------------------------

  /** Rejects when its source cannot start. */
  async start(): Promise<void> {
    if (this.#loop.stopped) return;
    await this.#source.start?.(this);
    this.#loop.start();
  }

  /** Nothing is lost: updates that arrive now are not confirmed, so Telegram sends them again. */
  async drain(): Promise<readonly string[]> {
    await this.stop();
    return [];
  }

  async stop(): Promise<void> {
    const ended = this.#loop.stop();
    await this.#source.stop?.();
    await ended;
    this.#state = "stopped";
  }

  /** Looks at once, because another part has found that Telegram is back. */
  nudge(): void {
    this.#retryAtMs = 0;
    this.#source.nudge?.();
    this.#loop.wake();
  }

  /** Beats once per look at Telegram, failed or not, and once per check for room. */
  heartbeat(): Heartbeat {
    return this.#loop.heartbeat;
  }

  snapshot(): IntakeSnapshot {
    const { clock } = this.deps;
    const heard = this.#heardAtMs;
    return {
      state: this.#waits() ?? this.#state,
      reason: this.#reason,
      sinceLastHeardMs: heard === undefined ? undefined : clock.monotonicMs() - heard,
      failuresInARow: this.#failures,
    };
  }

  #waits(): "held" | "standby" | "back-pressure" | undefined {
    if (this.#state === "stopped") return undefined;
    if (this.#held) return this.deps.standsBy?.() ? "standby" : "held";
    return this.heldBack ? "back-pressure" : undefined;
  }

  #failing(): HoldLook | undefined {
    const { clock } = this.deps;
    if (this.#failures === 0 || clock.monotonicMs() >= this.#retryAtMs) return undefined;
    const reason = `Telegram cannot be asked for updates: ${this.#reason}`;
    return { limit: 0, sinceMs: this.#failingSinceMs, untilMs: this.#retryAtMs, reason };
  }

  async #run(loop: Loop): Promise<void> {
    let waitMs: number;
    do {
      waitMs = await this.#look(loop).catch((error) => this.#mend(error, loop));
    } while (await loop.wait(waitMs));
  }

  async #look(loop: Loop): Promise<number> {
    if (this.#owesAccepted) await this.#submitAccepted();
    return this.#source.look(this, loop);
  }

  async #mend(error: unknown, loop: Loop): Promise<number> {
    if (loop.stopped) return 0;
    const retryInMs = decidePollDelay(error, this.#failures + 1, this.deps.random);
    this.failed(error, retryInMs);
    loop.beat(retryInMs);
    await this.#source.mend?.(error, this, loop.signal);
    return retryInMs;
  }

  // ---- for its source -----------------------------------------------------------------------------

  /** The number of consecutive failures. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether nothing is known about Telegram yet, or the last look failed. */
  get doubtful(): boolean {
    return this.#heardAtMs === undefined || this.#failures > 0;
  }

  /** Whether the last check for room found none. */
  get heldBack(): boolean {
    return this.#fullSinceMs !== undefined;
  }

  /** The number of updates there is room for now; 0 while updates are held back. */
  room(): Promise<number> {
    return this.#roomFrom(this.deps.room);
  }

  /** Like `room`, but the answer may be up to 250 ms old. */
  recentRoom(): Promise<number> {
    return this.#roomFrom(() => this.#recentRoom.look());
  }

  /**
   * Commits the updates among `values` in one transaction. Rejects as `accept` does.
   *
   * @returns the highest update id; `undefined` when there was no update.
   */
  async take(values: readonly unknown[]): Promise<number | undefined> {
    const { accept, botId, publish } = this.deps;
    const updates: RawUpdate[] = [];
    for (const value of values) {
      const update = parseUpdate(value);
      if (update) updates.push(update);
      else publish({ type: "update.ignored", updateId: undefined, reason: "no update_id" });
    }
    if (updates.length === 0) return undefined;
    const results = await accept(updates.map((update) => toUpdateMessage(update, botId)));
    if (this.deps.keepsAccepted) {
      const atMs = this.deps.clock.monotonicMs();
      for (const update of updates) this.#accepted.push({ atMs, update });
    }
    const duplicates = results.filter((result) => result.kind === "duplicate").length;
    publish({ type: "updates.received", received: updates.length, duplicates });
    return Math.max(...updates.map((update) => update.update_id));
  }

  /**
   * Submits the updates of the last minutes again, because the store may have lost them. Those that it
   * still knows are duplicates to it. Submits before it returns, and again before each look until the
   * store has taken them; never rejects.
   */
  submitAgain(): void {
    this.#submitAccepted().catch((error) => this.failed(error, 0));
  }

  async #submitAccepted(): Promise<void> {
    const { accept, botId, clock, publish } = this.deps;
    const sinceMs = clock.monotonicMs() - acceptedKeepMs;
    const updates = this.#accepted.values.filter(({ atMs }) => atMs >= sinceMs);
    this.#owesAccepted = false;
    if (updates.length === 0) return;
    try {
      const results = await accept(updates.map(({ update }) => toUpdateMessage(update, botId)));
      const duplicates = results.filter(({ kind }) => kind === "duplicate").length;
      publish({ type: "updates.received", received: updates.length, duplicates });
    } catch (error) {
      this.#owesAccepted = true;
      throw error;
    }
  }

  /** Records that Telegram was reached. */
  heard(): void {
    const { clock, onHeard, publish } = this.deps;
    const nowMs = clock.monotonicMs();
    if (this.#failures > 0) {
      const afterMs = nowMs - this.#failingSinceMs;
      publish({ type: "intake.recovered", afterMs, failures: this.#failures });
    }
    this.#heardAtMs = nowMs;
    this.#failures = 0;
    this.#reason = undefined;
    this.#state = this.#source.state;
    onHeard();
  }

  failed(error: unknown, retryInMs: number): void {
    const { clock, publish } = this.deps;
    if (this.#failures === 0) this.#failingSinceMs = clock.monotonicMs();
    this.#failures++;
    this.#retryAtMs = clock.monotonicMs() + retryInMs;
    const record = recordError(error, clock.epochMs());
    this.#state = "backing-off";
    this.#reason = record.code;
    const failuresInARow = this.#failures;
    publish({ type: "intake.failed", error: record, retryInMs, failuresInARow });
  }

  /** Discards what was known about Telegram. */
  doubt(): void {
    this.#heardAtMs = undefined;
  }

  async #roomFrom(look: () => Promise<number>): Promise<number> {
    const { clock, holds, publish } = this.deps;
    const { limit } = await holds.allowance("intake");
    this.#held = limit === 0;
    if (this.#held) return 0;
    const free = await look();
    if (free > 0 === this.heldBack) {
      this.#fullSinceMs = this.heldBack ? undefined : clock.monotonicMs();
      publish(this.heldBack ? { type: "intake.held-back" } : { type: "intake.resumed", free });
    }
    return Math.max(0, free);
  }
}
