/** Queue process: starts `programs/queue-main.ts`, gives it orders, and waits for their results. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { node, startOptions } from "../../drill/bot-process.ts";
import type { QueueKind } from "./contenders.ts";
import type { Faults, Filled } from "./load.ts";

export interface ProcessOptions {
  readonly kind: QueueKind;
  readonly url: string;
  readonly process: number;
  readonly concurrency: number;
  readonly dedupeKeepMs: number;
  readonly chats: number;
}

export type Order =
  | { readonly do: "fill"; readonly waiting: number; readonly seconds: number }
  | { readonly do: "pace"; readonly perSecond: number; readonly seconds: number }
  | { readonly do: "end" };

export interface Answer {
  readonly result: unknown;
}

const program = fileURLToPath(new URL("../programs/queue-main.ts", import.meta.url));

export class QueueProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when its queue is open. */
  static async start(options: ProcessOptions): Promise<QueueProcess> {
    const child = fork(program, [JSON.stringify(options)], {
      execPath: node,
      execArgv: [...startOptions],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const started = new QueueProcess(child);
    await started.#result();
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  fill(waiting: number, seconds: number): Promise<Filled> {
    return this.#order({ do: "fill", waiting, seconds });
  }

  pace(perSecond: number, seconds: number): Promise<readonly number[]> {
    return this.#order({ do: "pace", perSecond, seconds });
  }

  /** Ends it in good order. */
  async end(): Promise<Faults> {
    const faults = await this.#order<Faults>({ do: "end" });
    if (this.#child.exitCode === null) await once(this.#child, "exit");
    return faults;
  }

  /** Ends it at once, if it runs. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** One order at a time. Rejects when the process ends instead. */
  async #order<Result>(order: Order): Promise<Result> {
    const result = this.#result();
    this.#child.send(order);
    return (await result) as Result;
  }

  async #result(): Promise<unknown> {
    const over = new AbortController();
    const { signal } = over;
    const ended = once(this.#child, "exit", { signal }).then(([code]) => {
      throw new Error(`a process of the queue ended with code ${code}`);
    });
    try {
      const [answer] = (await Promise.race([once(this.#child, "message", { signal }), ended])) as [
        Answer,
      ];
      return answer.result;
    } finally {
      over.abort();
      ended.catch(() => {});
    }
  }
}
