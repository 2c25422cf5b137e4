/**
 * Webhook delivery: sends one bot's updates to its webhook, as Telegram's server does.
 *
 * Updates wait in lanes by ordering key. A lane sends one at a time: the next goes only when the one
 * before got a complete 2xx, or was dropped. Each accepted `setWebhook` has an instance, which owns its
 * connections and timers.
 * Source: tdlib/telegram-bot-api, WebhookActor.cpp.
 */
import type { FaultRules } from "../faults/active-faults.ts";
import { type Random, randomInteger } from "../random.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import type { QueuedUpdate, UpdateQueue } from "./update-queue.ts";
import {
  WebhookConnection,
  type WebhookResponse,
  WebhookUnreachableError,
} from "./webhook-connection.ts";

/** The parameters of `setWebhook`. */
export interface WebhookState {
  readonly url: string;
  readonly maxConnections: number;
  readonly secretToken: string;
  /** Empty: the host name is resolved. */
  readonly ipAddress: string;
  readonly hasCertificate: boolean;
}

export interface WebhookDeliveryOptions {
  readonly botId: number;
  readonly state: WebhookState;
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly queue: UpdateQueue;
  readonly faults: FaultRules;
  /** Whether connections are opened as slowly as by Telegram. */
  readonly pacing: boolean;
  readonly onDelivery: (updateId: number) => void;
  /** Called with a 2xx answer, which may carry a method call. */
  readonly onAnswer: (response: WebhookResponse) => void;
  /** Called after 23 hours of nothing but 410: the webhook has to be removed. */
  readonly onGone: () => void;
}

export interface WebhookError {
  readonly atEpochS: number;
  readonly message: string;
}

interface Task {
  readonly update: QueuedUpdate;
  delayS: number;
  fails: number;
}

interface Lane {
  readonly key: string;
  readonly tasks: Task[];
  state: "ready" | "busy" | "waiting";
}

const readTimeoutMs = 60_000;
const goneMsMax = 23 * 3_600_000;
const retryAfterSMax = 3_600;
/** After this long without a success, connections are opened one by one. */
const trustMs = 10_000;
const slowOpenMs = 2_000;
const burstMs = 500;
const burstMax = 10;

export class WebhookDelivery {
  readonly state: WebhookState;
  readonly #options: WebhookDeliveryOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #timers = new Set<() => void>();
  readonly #connections = new Set<WebhookConnection>();
  #idle: WebhookConnection[] = [];
  #openedAtMs: number[] = [];
  #lastLoadedId = 0;
  #lastSuccessMs = Number.NEGATIVE_INFINITY;
  #goneSinceMs: number | undefined;
  #lastError: WebhookError | undefined;
  #opening = false;
  #stopped = false;

  constructor(options: WebhookDeliveryOptions) {
    this.#options = options;
    this.state = options.state;
  }

  /** The latest failure; a later success does not clear it. */
  get lastError(): WebhookError | undefined {
    return this.#lastError;
  }

  /** Called when there may be a new update to send. */
  wake(): void {
    this.#load();
    this.#pump();
  }

  /** Abandons the updates in flight; they stay in the queue. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const connection of this.#connections) connection.close();
  }

  /** Fills at most twice as many lanes as connections; later updates wait in the queue. */
  #load(): void {
    const { queue } = this.#options;
    if (this.#lanes.size === 0) this.#lastLoadedId = 0;
    for (;;) {
      const update = queue.after(this.#lastLoadedId);
      if (!update) return;
      const lane = this.#lanes.get(update.key);
      if (!lane && this.#lanes.size >= 2 * this.state.maxConnections) return;
      this.#lastLoadedId = update.id;
      const task: Task = { update, delayS: 1, fails: 0 };
      if (lane) lane.tasks.push(task);
      else this.#lanes.set(update.key, { key: update.key, tasks: [task], state: "ready" });
    }
  }

  #pump(): void {
    for (const lane of this.#lanes.values()) {
      if (this.#stopped) return;
      if (lane.state !== "ready") continue;
      const task = lane.tasks[0];
      if (!task || this.#dropExpired(lane, task)) continue;
      const connection = this.#takeConnection();
      if (!connection) return;
      lane.state = "busy";
      void this.#send(lane, task, connection);
    }
  }

  #dropExpired(lane: Lane, { update }: Task): boolean {
    const { clock } = this.#options;
    if (update.expiresAtEpochMs > clock.epochMs()) return false;
    this.#leave(lane, update, "expired");
    this.#after(0, () => this.wake());
    return true;
  }

  #takeConnection(): WebhookConnection | undefined {
    const idle = this.#idle.pop();
    if (idle) return idle;
    if (this.#connections.size >= this.state.maxConnections) return undefined;
    const waitMs = this.#options.pacing ? this.#openWaitMs() : 0;
    if (waitMs > 0) {
      if (Number.isFinite(waitMs) && !this.#opening) {
        this.#opening = true;
        this.#after(waitMs, () => {
          this.#opening = false;
          this.#pump();
        });
      }
      return undefined;
    }
    this.#openedAtMs = [...this.#openedAtMs.slice(-burstMax), this.#options.clock.monotonicMs()];
    const connection = new WebhookConnection(this.state);
    this.#connections.add(connection);
    return connection;
  }

  /** Milliseconds until another connection may be opened; infinite while one must suffice. */
  #openWaitMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#lastSuccessMs > trustMs) {
      if (this.#connections.size > 0) return Number.POSITIVE_INFINITY;
      return Math.max(
        0,
        (this.#openedAtMs.at(-1) ?? Number.NEGATIVE_INFINITY) + slowOpenMs - nowMs,
      );
    }
    const oldest = this.#openedAtMs.at(-burstMax) ?? Number.NEGATIVE_INFINITY;
    return Math.max(0, oldest + burstMs - nowMs);
  }

  async #send(lane: Lane, task: Task, connection: WebhookConnection): Promise<void> {
    try {
      const response = await this.#exchange(task.update, connection);
      if (this.#stopped) return;
      this.#judge(lane, task, response);
    } catch (error) {
      if (this.#stopped) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#goneSinceMs = undefined;
      this.#failed(lane, task, message, 0);
    } finally {
      if (connection.reusable) this.#idle.push(connection);
      else {
        connection.close();
        this.#connections.delete(connection);
      }
    }
    this.wake();
  }

  /** Makes the request, or plays the fault that strikes it. */
  async #exchange(update: QueuedUpdate, connection: WebhookConnection): Promise<WebhookResponse> {
    const { botId, clock, faults, onDelivery } = this.#options;
    const fault = faults.strike({ botId, method: "webhook", chatId: null });
    if (fault?.kind === "latency") await clock.sleep(fault.ms);
    const down = fault !== undefined && fault.kind !== "latency";
    const lost = down && "execute" in fault && fault.execute === true;
    if (down && !lost) {
      if (fault.kind === "hang") await clock.sleep(readTimeoutMs);
      return pretend(fault);
    }
    onDelivery(update.id);
    const response = await connection.post(update.body, (onTimeout) =>
      clock.schedule(readTimeoutMs, onTimeout),
    );
    if (!lost) return response;
    // The bot has handled the update, but its answer is lost.
    if (fault.kind === "hang") await clock.sleep(readTimeoutMs);
    return pretend(fault);
  }

  #judge(lane: Lane, task: Task, response: WebhookResponse): void {
    const { clock, onAnswer, onGone } = this.#options;
    const nowMs = clock.monotonicMs();
    if (response.status >= 200 && response.status < 300) {
      this.#goneSinceMs = undefined;
      this.#lastSuccessMs = nowMs;
      this.#leave(lane, task.update, "confirmed");
      onAnswer(response);
      return;
    }
    this.#goneSinceMs = response.status === 410 ? (this.#goneSinceMs ?? nowMs) : undefined;
    if (this.#goneSinceMs !== undefined && nowMs - this.#goneSinceMs > goneMsMax) {
      onGone();
      return;
    }
    const words = `${response.status} ${response.reason}`.trim();
    const message = `Wrong response from the webhook: ${words}`;
    this.#failed(lane, task, message, response.retryAfterS);
  }

  #failed(lane: Lane, task: Task, message: string, retryAfterS: number): void {
    const { clock, random } = this.#options;
    this.#lastError = { atEpochS: clock.epochS(), message };
    let nextS = task.delayS;
    let waitS = Math.min(retryAfterSMax, retryAfterS);
    if (waitS === 0 && task.fails > 0) {
      nextS = Math.min(randomInteger(random, 60, 120), task.delayS * 2);
      waitS = nextS;
    }
    if (clock.epochMs() + waitS * 1_000 > task.update.expiresAtEpochMs) {
      this.#leave(lane, task.update, "expired");
      return;
    }
    task.delayS = nextS;
    task.fails += 1;
    lane.state = "waiting";
    this.#after(waitS * 1_000, () => {
      lane.state = "ready";
      this.wake();
    });
  }

  /** Removes the head of a lane. */
  #leave(lane: Lane, update: QueuedUpdate, end: "confirmed" | "expired"): void {
    this.#options.queue.remove(update.id, end);
    lane.tasks.shift();
    lane.state = "ready";
    // A lane with more updates goes behind the others.
    this.#lanes.delete(lane.key);
    if (lane.tasks.length > 0) this.#lanes.set(lane.key, lane);
  }

  #after(ms: number, run: () => void): void {
    const cancel = this.#options.clock.schedule(ms, () => {
      this.#timers.delete(cancel);
      run();
    });
    this.#timers.add(cancel);
  }
}

/** The answer that a real fault of the bot's side would give. */
function pretend(fault: { readonly kind: string; readonly status?: number }): WebhookResponse {
  if (fault.kind === "hang") throw new WebhookUnreachableError("Read timeout expired");
  if (fault.status === undefined) throw new WebhookUnreachableError("Connection refused");
  const reason = fault.kind === "html" ? "" : "Error";
  return { status: fault.status, reason, retryAfterS: 0, contentType: "", body: Buffer.alloc(0) };
}
