/**
 * Polling: an update source that asks Telegram with long polls.
 *
 * The offset of a poll confirms the previous batch, which is on disk by then. The offset itself is
 * not stored: without one Telegram returns every unconfirmed update and the queue's dedupe keys
 * absorb the repetition, whereas a stale offset could confirm updates that were never seen.
 */
import { Ending } from "../../core/ending.ts";
import { PollConflictError, recordError } from "../../core/errors.ts";
import type { Loop } from "../../core/loop.ts";
import type { Intake, IntakeSource } from "./intake.ts";
import { allowedUpdates } from "./update-message.ts";

export interface PollingOptions {
  /** Kinds of updates to ask for. Default: those that are always requested. */
  readonly allowedUpdates?: readonly string[];
  /** Seconds that Telegram may hold a poll open, 1 to 50. */
  readonly pollTimeoutSeconds: number;
}

const batchMax = 100;
/** Milliseconds a poll may take beyond its own timeout before its connection counts as dead. */
const graceMs = 10_000;
const backPressureCheckMs = 250;
/** Minimum milliseconds between polls when the first one's answer is empty. */
const emptyPollMs = 250;

export class Polling implements IntakeSource {
  readonly state = "polling";
  readonly #options: PollingOptions;
  /** Confirms the previous batch; 0 when there is nothing to confirm. */
  #offset = 0;
  /** Ends only the poll under way. */
  #ending = new Ending();

  constructor(options: PollingOptions) {
    this.#options = options;
  }

  /**
   * Polls again at once. Updates the ended poll would have brought are unconfirmed and come again, and so
   * does what was not confirmed before: another process may have polled meanwhile.
   */
  nudge(): void {
    this.#offset = 0;
    this.#ending.end();
  }

  async look(intake: Intake, loop: Loop): Promise<number> {
    const { clock } = intake.deps;
    loop.beat(backPressureCheckMs);
    const room = await intake.room();
    if (room === 0 || loop.stopped) return backPressureCheckMs;
    const startedAtMs = clock.monotonicMs();
    const proves = intake.doubtful;
    const updates = await this.#poll(Math.min(batchMax, room), intake, loop);
    if (!updates) return 0;
    intake.heard();
    // Only this batch counts, because ids can jump down after a week of silence. After an empty
    // answer everything is confirmed, and an offset could only become stale.
    const highest = await intake.take(updates);
    this.#offset = highest === undefined ? 0 : highest + 1;
    if (updates.length > 0 || proves) return 0;
    // Otherwise a server that does not hold polls open would be asked thousands of times per
    // second.
    return emptyPollMs - (clock.monotonicMs() - startedAtMs);
  }

  /** @returns the answer's updates; `undefined` when a nudge ended the poll. */
  async #poll(limit: number, intake: Intake, loop: Loop): Promise<readonly unknown[] | undefined> {
    // The first poll, and the first after a failure, returns at once to prove the connection.
    const timeout = intake.doubtful ? 0 : this.#options.pollTimeoutSeconds;
    const payload = {
      ...(this.#offset > 0 && { offset: this.#offset }),
      limit,
      timeout,
      allowed_updates: this.#options.allowedUpdates ?? allowedUpdates,
    };
    const deadlineMs = timeout * 1000 + graceMs;
    loop.expect(deadlineMs);
    const ending = new Ending();
    const end = () => ending.end();
    this.#ending = ending;
    loop.signal.addEventListener("abort", end);
    try {
      const options = { signal: ending, deadlineMs };
      const updates = await intake.deps.api.call("getUpdates", payload, options);
      return Array.isArray(updates) ? updates : [];
    } catch (error) {
      if (!ending.aborted || loop.stopped) throw error;
      // It was nudged: the next poll must prove the connection again.
      intake.doubt();
      return undefined;
    } finally {
      loop.signal.removeEventListener("abort", end);
    }
  }

  /** Removes a webhook left from an earlier configuration; its pending updates are kept. */
  async mend(error: unknown, { deps, failures }: Intake, signal: AbortSignal): Promise<void> {
    if (!(error instanceof PollConflictError) || error.reason !== "webhook") return;
    const { api, clock, publish } = deps;
    try {
      await api.call("deleteWebhook", { drop_pending_updates: false }, { signal });
      publish({ type: "webhook.removed" });
    } catch (cause) {
      const record = recordError(cause, clock.epochMs());
      publish({ type: "intake.failed", error: record, retryInMs: 0, failuresInARow: failures });
    }
  }
}
