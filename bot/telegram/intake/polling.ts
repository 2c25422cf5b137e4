/**
 * Polling: takes updates from Telegram by long polls, and never loses one.
 *
 * A batch is committed in one transaction; only then does the next call's offset tell Telegram
 * "got it". No offset is kept on disk: without one Telegram returns every unconfirmed update, and the
 * queue's dedupe keys absorb the repetition; a stale one could confirm updates nobody has seen.
 *
 * The loop ends only by `stop`. It never ends the process.
 */
import type { BotApi } from "../../core/bot-api.ts";
import { type Clock, type Random, waitOver } from "../../core/clock.ts";
import { PollConflictError, recordError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import { type Heartbeat, Pulse } from "../../core/heartbeat.ts";
import type { UpdateSource, UpdateSourceSnapshot } from "../../core/intake.ts";
import { type AcceptUpdates, commitUpdates } from "./accepted-updates.ts";
import { IntakeCondition } from "./intake-condition.ts";
import { decidePollDelay } from "./intake-rules.ts";
import { allowedUpdates } from "./update-message.ts";

export interface PollingDeps {
  /** The bare client, not the breaker: polling is how we notice that Telegram is back. */
  readonly api: BotApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly publish: Publish;
  readonly botId: string;
  /** Seconds Telegram may hold a poll open, 1 to 50. */
  readonly pollTimeoutSeconds: number;
  /** Commits a batch; resolves when it is on disk. */
  readonly accept: AcceptUpdates;
  /** Updates for which there is room. */
  readonly room: () => Promise<number>;
  /** While true nothing is asked for, on purpose. Default: never. */
  readonly held?: () => boolean;
  /** Called after every completed poll. */
  readonly onPoll: () => void;
}

const batchMax = 100;
/** What a poll may take beyond its own timeout before its connection counts as dead. */
const graceMs = 10_000;
const backPressureCheckMs = 250;
/** An empty answer takes at least this long; Telegram's takes as long as was asked for. */
const emptyPollMs = 250;

export class Polling implements UpdateSource {
  readonly name = "polling";
  readonly #deps: PollingDeps;
  readonly #stopping = new AbortController();
  readonly #pulse: Pulse;
  readonly #condition: IntakeCondition;
  /** Ends the poll under way alone. */
  #nudge = new AbortController();
  #loop: Promise<void> | undefined;

  constructor(deps: PollingDeps) {
    this.#deps = deps;
    this.#pulse = new Pulse(deps.clock);
    this.#condition = new IntakeCondition(deps);
  }

  async start(): Promise<void> {
    if (!this.#stopping.signal.aborted) this.#loop ??= this.#run(this.#stopping.signal);
  }

  /** Ends the poll under way. Nothing is lost: what it brings is unconfirmed and comes again. */
  async drain(): Promise<readonly string[]> {
    await this.stop();
    return [];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    this.#condition.enter("stopped");
  }

  /**
   * Polls anew at once, in the place of a poll whose connection may be dead. What the old one would
   * have brought is unconfirmed and comes again.
   */
  nudge(): void {
    this.#nudge.abort(waitOver);
  }

  /** A beat a poll, failed or not; and one whenever it looks for room. */
  heartbeat(): Heartbeat {
    return this.#pulse.heartbeat;
  }

  snapshot(): UpdateSourceSnapshot {
    return this.#condition.snapshot();
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#pollUntil(signal);
    this.#pulse.expect(Number.POSITIVE_INFINITY);
  }

  async #pollUntil(signal: AbortSignal): Promise<void> {
    // Confirms the batch before; 0 when there is nothing to confirm.
    let offset = 0;
    while (!signal.aborted) {
      this.#nudge = new AbortController();
      try {
        const room = await this.#waitForRoom(signal);
        if (signal.aborted) return;
        const startedAtMs = this.#deps.clock.monotonicMs();
        const either = AbortSignal.any([signal, this.#nudge.signal]);
        const updates = await this.#poll(offset, Math.min(batchMax, room), either);
        const proved = this.#succeeded();
        // After an empty answer everything is confirmed, and an offset could only grow stale.
        offset = await this.#commit(updates);
        if (updates.length === 0 && !proved) await this.#restAfter(startedAtMs, signal);
      } catch (error) {
        if (!signal.aborted) await this.#afterFailure(error, signal);
      }
    }
  }

  /** A server that does not hold polls open would otherwise be asked thousands of times a second. */
  async #restAfter(startedAtMs: number, signal: AbortSignal): Promise<void> {
    const tookMs = this.#deps.clock.monotonicMs() - startedAtMs;
    if (tookMs < emptyPollMs) await this.#deps.clock.sleep(emptyPollMs - tookMs, signal);
  }

  async #waitForRoom(signal: AbortSignal): Promise<number> {
    const { clock, held, room } = this.#deps;
    for (;;) {
      this.#pulse.beat(backPressureCheckMs);
      if (held?.() && !signal.aborted) {
        this.#condition.enter("back-pressure");
      } else {
        const free = await room();
        if (signal.aborted || this.#condition.hasRoom(free)) return free;
      }
      await clock.sleep(backPressureCheckMs, signal);
    }
  }

  async #poll(offset: number, limit: number, signal: AbortSignal): Promise<readonly unknown[]> {
    const { api, pollTimeoutSeconds } = this.#deps;
    this.#condition.enter(this.#condition.failures > 0 ? "backing-off" : "polling");
    // The first poll, and the first after a failure, returns at once: it proves the connection.
    const timeout = this.#condition.doubtful ? 0 : pollTimeoutSeconds;
    const payload = {
      ...(offset > 0 && { offset }),
      limit,
      timeout,
      allowed_updates: allowedUpdates,
    };
    const deadlineMs = timeout * 1000 + graceMs;
    this.#pulse.expect(deadlineMs);
    const updates = await api.call("getUpdates", payload, { signal, deadlineMs });
    return Array.isArray(updates) ? updates : [];
  }

  /** @returns the offset that confirms this batch. */
  async #commit(values: readonly unknown[]): Promise<number> {
    // Of this batch alone: ids can jump down after a week of silence.
    const highest = await commitUpdates(values, this.#deps);
    return highest === undefined ? 0 : highest + 1;
  }

  /** @returns whether this was the poll that proved the connection. */
  #succeeded(): boolean {
    const proved = this.#condition.doubtful;
    this.#pulse.beat();
    this.#condition.succeeded("polling");
    this.#deps.onPoll();
    return proved;
  }

  async #afterFailure(error: unknown, signal: AbortSignal): Promise<void> {
    // Called off by ourselves: the next poll proves the connection again.
    if (this.#nudge.signal.aborted) this.#condition.doubt();
    else await this.#failed(error, signal);
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const retryInMs = decidePollDelay(error, this.#condition.failures + 1, random);
    this.#condition.failed(error, retryInMs);
    this.#pulse.beat(retryInMs);
    if (error instanceof PollConflictError && error.reason === "webhook") {
      await this.#removeWebhook(signal);
    }
    await clock.sleep(retryInMs, AbortSignal.any([signal, this.#nudge.signal]));
  }

  /** Polling was asked for, so a webhook left over from before goes; what waits for it is kept. */
  async #removeWebhook(signal: AbortSignal): Promise<void> {
    const { api, clock, publish } = this.#deps;
    try {
      await api.call("deleteWebhook", { drop_pending_updates: false }, { signal });
      publish({ type: "webhook.removed" });
    } catch (error) {
      const record = recordError(error, clock.epochMs());
      const failuresInARow = this.#condition.failures;
      publish({ type: "intake.failed", error: record, retryInMs: 0, failuresInARow });
    }
  }
}
