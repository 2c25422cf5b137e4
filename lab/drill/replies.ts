/** Replies: the instants at which the bot's messages appear in chats. */
import type { SandboxClient } from "../../sandbox/client.ts";
import { eventually, nowMs } from "./bot-process.ts";

export class Replies {
  readonly #sandbox: SandboxClient;
  readonly #atMs: number[] = [];
  #stopped = false;

  constructor(sandbox: SandboxClient) {
    this.#sandbox = sandbox;
  }

  /** Instants by the drill's clock (`nowMs`), oldest first. */
  get all(): readonly number[] {
    return this.#atMs;
  }

  start(): void {
    void this.#follow();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The first reply at or after an instant. Rejects when there is none within `timeoutMs`. */
  async firstAfter(afterMs: number, timeoutMs: number): Promise<number> {
    const look = async () => this.#atMs.find((atMs) => atMs >= afterMs);
    return eventually("the bot answers", look, timeoutMs);
  }

  async #follow(): Promise<void> {
    for (let after = 0; !this.#stopped; ) {
      try {
        const changes = await this.#sandbox.changes({ after, waitMs: 500 });
        const atMs = nowMs();
        for (const { kind, message } of changes) {
          if (kind === "message" && message?.from?.is_bot) this.#atMs.push(atMs);
        }
        after = changes.at(-1)?.sequence ?? after;
      } catch {
        // The scene is being closed.
        return;
      }
    }
  }
}
