/**
 * Update polling: `getUpdates`, with long polls, conflicts and their pacing, for one bot.
 *
 * It owns the one poll that may wait. A poll that has to wait displaces the waiting one; a poll that is
 * answered at once does not. A client that has left is not noticed: its poll keeps waiting, and an
 * answer to it confirms nothing.
 * Source: Bot API, getUpdates; tdlib/telegram-bot-api, Client.cpp.
 */
import { type Answer, conflict, succeedRaw } from "../http/answer.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import type { UpdateQueue } from "./update-queue.ts";

export interface PollRequest {
  readonly offset: number;
  /** 1 to 100. */
  readonly limit: number;
  /** 0 to 50. */
  readonly timeoutS: number;
}

/** Called with the updates that went into an answer. */
export type DeliveryListener = (updateIds: readonly number[]) => void;

export interface UpdatePollingOptions {
  readonly clock: VirtualClock;
  readonly queue: UpdateQueue;
  readonly pacing: boolean;
}

interface Waiting {
  readonly request: PollRequest;
  readonly onDelivery: DeliveryListener;
  readonly resolve: (answer: Answer) => void;
  readonly cancelTimeout: () => void;
}

interface Replay {
  readonly id: number;
  readonly body: string;
}

const pacingMs = 3_000;
const repeatMs = 500;
/** A waiting poll is answered this long after the last arrival, and no later than twice that. */
const arrivalMs = 1;

export const otherPollConflict =
  "terminated by other getUpdates request; make sure that only one bot instance is running";
export const webhookActiveConflict =
  "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

export class UpdatePolling {
  readonly #options: UpdatePollingOptions;
  readonly #replays: Replay[] = [];
  #waiting: Waiting | undefined;
  #waking: { readonly firstAtMs: number; handle: NodeJS.Timeout } | undefined;
  #previousOffset = -1;
  #previousStartMs = Number.NEGATIVE_INFINITY;
  #nextConflictMs = Number.NEGATIVE_INFINITY;

  constructor(options: UpdatePollingOptions) {
    this.#options = options;
  }

  get waiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** Resolves with the answer; never rejects. */
  poll(asked: PollRequest, onDelivery: DeliveryListener): Promise<Answer> {
    const request = this.#paced(asked);
    const answer = this.#collect(request, onDelivery);
    if (answer) return Promise.resolve(answer);
    if (request.timeoutS === 0) return Promise.resolve(succeedRaw("[]"));
    this.terminate(otherPollConflict);
    return new Promise((resolve) => {
      const cancelTimeout = this.#options.clock.schedule(request.timeoutS * 1_000, () =>
        this.#answerWaiting(succeedRaw("[]")),
      );
      this.#waiting = { request, onDelivery, resolve, cancelTimeout };
    });
  }

  /** Called when there is a new update. The waiting poll is answered once the burst is over. */
  wake(): void {
    if (!this.#waiting) return;
    const nowMs = performance.now();
    const firstAtMs = this.#waking?.firstAtMs ?? nowMs;
    if (this.#waking && nowMs - firstAtMs >= arrivalMs) return;
    clearTimeout(this.#waking?.handle);
    // This uses the machine's own time, so that tests need not advance the clock by one millisecond.
    const handle = setTimeout(() => this.#awake(), arrivalMs);
    this.#waking = { firstAtMs, handle };
  }

  /** Ends the waiting poll with a 409. */
  terminate(description: string): void {
    const waiting = this.#takeWaiting();
    if (waiting) void this.conflict(description).then(waiting.resolve);
  }

  /** Ends the waiting poll with this answer. */
  finish(answer: Answer): void {
    this.#answerWaiting(answer);
  }

  /** A 409: at once, or after 3 s when the last one was less than 3 s ago. */
  async conflict(description: string): Promise<Answer> {
    const { clock, pacing } = this.#options;
    if (!pacing || clock.monotonicMs() >= this.#nextConflictMs) {
      this.#nextConflictMs = clock.monotonicMs() + pacingMs;
    } else {
      await clock.sleep(pacingMs);
    }
    return conflict(description);
  }

  /** Puts an update into the next answer, whatever its offset. */
  replay(id: number, body: string): void {
    this.#replays.push({ id, body });
    this.wake();
  }

  stop(): void {
    clearTimeout(this.#waking?.handle);
    this.#takeWaiting()?.resolve(succeedRaw("[]"));
  }

  #paced(asked: PollRequest): PollRequest {
    if (!this.#options.pacing) return asked;
    const nowMs = this.#options.clock.monotonicMs();
    const sinceMs = nowMs - this.#previousStartMs;
    const repeated = asked.offset === this.#previousOffset;
    const timeoutS =
      repeated && asked.timeoutS < 3 && sinceMs < pacingMs ? pacingMs / 1_000 : asked.timeoutS;
    const limit = repeated && sinceMs < repeatMs ? 1 : asked.limit;
    this.#previousOffset = asked.offset;
    this.#previousStartMs = nowMs;
    return { offset: asked.offset, limit, timeoutS };
  }

  #collect(request: PollRequest, onDelivery: DeliveryListener): Answer | undefined {
    const { queue, clock } = this.#options;
    const updates = queue.read(request.offset, request.limit, clock.epochMs());
    const replays = this.#replays.splice(0);
    if (updates.length === 0 && replays.length === 0) return undefined;
    const all = [...replays, ...updates];
    onDelivery(all.map(({ id }) => id));
    return succeedRaw(`[${all.map(({ body }) => body).join(",\n")}]`);
  }

  #awake(): void {
    this.#waking = undefined;
    const waiting = this.#waiting;
    if (!waiting) return;
    const answer = this.#collect(waiting.request, waiting.onDelivery);
    if (answer) this.#answerWaiting(answer);
  }

  #answerWaiting(answer: Answer): void {
    this.#takeWaiting()?.resolve(answer);
  }

  #takeWaiting(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.cancelTimeout();
    return waiting;
  }
}
