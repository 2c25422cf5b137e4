/**
 * Open loop: people who write at fixed instants, no matter how long they wait for answers.
 *
 * A closed loop writes less while the bot is slow, so it leaves out the answers that would have been
 * slowest (coordinated omission). Here the instants are fixed before the first one; when this process is
 * late itself, it catches up, and the latency still counts from the instant that was meant.
 */
import { Pool } from "undici";
import { nowMs, pause } from "../drill/bot-process.ts";

/** Milliseconds after the start at which the `index`th of so many a second is due. */
export function dueAfterMs(index: number, perSecond: number): number {
  return (index * 1_000) / perSecond;
}

/**
 * Calls `act` at each instant of the schedule, and waits for all calls at the end. After a call that
 * fails no other begins, and its error is the result.
 *
 * @param act Gets the number of the call, from 0, and the instant that was meant, by `nowMs`.
 */
export async function openLoop(
  count: number,
  perSecond: number,
  act: (index: number, intendedAtMs: number) => Promise<void>,
): Promise<void> {
  const startedAtMs = nowMs();
  const calls: Promise<void>[] = [];
  const failures: unknown[] = [];
  while (calls.length < count && failures.length === 0) {
    const intendedAtMs = startedAtMs + dueAfterMs(calls.length, perSecond);
    const earlyMs = intendedAtMs - nowMs();
    if (earlyMs > 0) await pause(earlyMs);
    else calls.push(act(calls.length, intendedAtMs).catch((error) => void failures.push(error)));
  }
  await Promise.all(calls);
  if (failures.length > 0) throw failures[0];
}

/** Requests to one address with little work for each, so that asking does not slow down what is measured. */
export class LightClient {
  readonly #pool: Pool;

  constructor(url: string) {
    this.#pool = new Pool(url, { connections: 16 });
  }

  /** @returns the status code. */
  async get(path: string): Promise<number> {
    const { body, statusCode } = await this.#pool.request({ path, method: "GET" });
    await body.dump();
    return statusCode;
  }

  /** Lets a person write in the sandbox. Rejects when the sandbox refuses. */
  async write(userId: number, text: string): Promise<void> {
    const { body, statusCode } = await this.#pool.request({
      path: "/sandbox/write",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ userId, text }),
    });
    await body.dump();
    if (statusCode !== 200) throw new Error(`the sandbox answers a write with HTTP ${statusCode}`);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
