/**
 * Supervisor: starts the bot again whenever it ends, as PM2 does for a bot in production.
 *
 * After a long life it starts the bot at once. After a short one it waits, twice as long each time, so
 * that a bot that cannot start is not started a hundred times a second. It never gives up.
 */
import type { WitnessedEnd } from "../history/from-journal.ts";
import { type BotProcess, eventually, nowMs, type ProcessEnd, pause } from "./bot-process.ts";
import { witnessEnd } from "./witness.ts";

export type RecordedEnd = ProcessEnd & WitnessedEnd;

const shortLifeMs = 1_000;
const delayInitialMs = 100;
const delayMaxMs = 2_000;

export class Supervisor {
  readonly #bot: BotProcess;
  readonly #botDirectory: string;
  readonly #ends: RecordedEnd[] = [];
  #held: PromiseWithResolvers<void> | undefined;
  #stopping = false;
  #loop: Promise<void> | undefined;

  /** @param botDirectory The directory of `bot.db`. */
  constructor(bot: BotProcess, botDirectory: string) {
    this.#bot = bot;
    this.#botDirectory = botDirectory;
  }

  /** The ends of all processes so far, oldest first. */
  get ends(): readonly RecordedEnd[] {
    return this.#ends;
  }

  /** Resolves when more than `before` processes have ended. */
  async died(before: number): Promise<void> {
    await eventually("it dies", async () => this.#ends.length > before, 60_000);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Does not start the bot again until `release`. */
  hold(): void {
    this.#held ??= Promise.withResolvers();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** Stops the bot for good. @returns its exit code. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.#stopping = true;
    this.release();
    const code = await this.#bot.stop(signal);
    await this.#loop;
    return code;
  }

  async #run(): Promise<void> {
    let delayMs = delayInitialMs;
    while (!this.#stopping) {
      const startedAtMs = nowMs();
      this.#bot.start();
      const end = await this.#bot.end();
      this.#ends.push({ ...end, ...witnessEnd(this.#botDirectory, nowMs()) });
      if (this.#stopping) return;
      const short = nowMs() - startedAtMs < shortLifeMs;
      if (short) await pause(delayMs);
      delayMs = short ? Math.min(2 * delayMs, delayMaxMs) : delayInitialMs;
      await this.#held?.promise;
    }
  }
}
