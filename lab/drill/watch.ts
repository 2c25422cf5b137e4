/** Watch: looks for the sign that a fault was noticed. */
import { eventually, nowMs, pause } from "./bot-process.ts";
import type { Detection } from "./fault.ts";
import type { Scene } from "./scene.ts";

interface Health {
  readonly checks: Readonly<Record<string, { readonly status: string }>>;
}

export class Watch {
  readonly #detection: Detection;
  readonly #scene: Scene;
  readonly #sinceMs = nowMs();
  #stopped = false;
  #healthSeenAtMs: number | undefined;

  constructor(detection: Detection, scene: Scene) {
    this.#detection = detection;
    this.#scene = scene;
    if (detection.by === "health") void this.#askHealth(detection.probe);
  }

  /** The instant at which it was noticed; `undefined` when it was not within `timeoutMs`. */
  async noticed(timeoutMs: number): Promise<number | undefined> {
    if (this.#detection.by === "nothing") return undefined;
    return eventually("it is noticed", async () => this.#look(), timeoutMs).catch(() => undefined);
  }

  stop(): void {
    this.#stopped = true;
  }

  #look(): number | undefined {
    const detection = this.#detection;
    switch (detection.by) {
      case "log":
        return this.#scene.bot.lines.find(
          ({ atMs, text }) => atMs >= this.#sinceMs && detection.line.test(text),
        )?.atMs;
      case "exit":
        return this.#scene.supervisor.ends.find(
          ({ atMs, code, signal }) =>
            atMs >= this.#sinceMs &&
            (detection.code === "killed" ? signal !== null : code === detection.code),
        )?.atMs;
      case "health":
        return this.#healthSeenAtMs;
      case "nothing":
        return undefined;
    }
  }

  async #askHealth(probe: string): Promise<void> {
    while (!this.#stopped && this.#healthSeenAtMs === undefined) {
      await pause(200);
      const health = await this.#scene.bot.ask<Health>("/api/health");
      const status = health?.checks[probe]?.status ?? "healthy";
      if (status !== "healthy") this.#healthSeenAtMs = nowMs();
    }
  }
}
