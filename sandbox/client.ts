/**
 * Client: the control API over HTTP, for tests and benches that run beside a sandbox.
 *
 * It has every method of `SandboxControl` under its name. A refused operation rejects with a
 * `SandboxClientError` that carries the sandbox's message.
 */

import { controlPath, operationNames } from "./control/operations.ts";
import type { JournalEntry, JournalQuery, RemoteControl } from "./control-api.ts";
import type { Message } from "./world/objects.ts";

/** The sandbox refused an operation. */
export class SandboxClientError extends Error {
  override readonly name = "SandboxClientError";
  readonly status: number;

  constructor(operation: string, status: number, message: string) {
    super(`sandbox ${operation}: ${message} (HTTP ${status})`);
    this.status = status;
  }
}

/** The operations over HTTP, and a few waits that tests need. */
export interface SandboxClient extends RemoteControl {
  readonly url: string;
  /** The whole journal after a sequence number, page by page. */
  journalAll(query?: JournalQuery): Promise<JournalEntry[]>;
  /**
   * The first message of a chat with a higher id than `after` that `accept` takes.
   * Rejects after `timeoutMs` (default 5,000).
   */
  waitForMessage(
    chatId: number,
    accept: (message: Message) => boolean,
    options?: { readonly after?: number; readonly timeoutMs?: number },
  ): Promise<Message>;
  /** Ends the sandbox's process. */
  stop(): Promise<void>;
}

/** @param url The sandbox's base address, as `start()` and `ensureSandbox()` return it. */
export function sandboxClient(url: string): SandboxClient {
  const root = url.replace(/\/+$/, "");
  const operate = (name: string) => (request?: unknown) => call(root, name, request ?? {});
  const operations = Object.fromEntries(operationNames.map((name) => [name, operate(name)]));
  const remote = operations as unknown as RemoteControl;
  return {
    ...remote,
    url: root,
    journalAll: (query) => journalAll(remote, query),
    waitForMessage: (chatId, accept, options) => waitForMessage(remote, chatId, accept, options),
    stop: async () => {
      await call(root, "stop", {});
    },
  };
}

async function call(root: string, name: string, request: unknown): Promise<unknown> {
  const response = await fetch(root + controlPath(name), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  const body = (await response.json()) as { error?: string } | null;
  if (!response.ok) {
    throw new SandboxClientError(name, response.status, body?.error ?? response.statusText);
  }
  return body;
}

const pageSize = 5_000;

async function journalAll(remote: RemoteControl, query: JournalQuery = {}) {
  const all: JournalEntry[] = [];
  let after = query.after ?? 0;
  while (true) {
    const page = await remote.journal({ ...query, after, limit: pageSize });
    all.push(...page);
    if (page.length < pageSize) return all;
    after = page[page.length - 1]?.sequence ?? after;
  }
}

async function waitForMessage(
  remote: RemoteControl,
  chatId: number,
  accept: (message: Message) => boolean,
  options: { readonly after?: number; readonly timeoutMs?: number } = {},
): Promise<Message> {
  const timeoutMs = options.timeoutMs ?? 5_000;
  const deadlineMs = performance.now() + timeoutMs;
  let after = (await remote.changes({ after: -1 }))[0]?.sequence ?? 0;
  while (true) {
    const messages = await remote.messages({ chatId, after: options.after ?? 0 });
    const found = messages.find(accept);
    if (found) return found;
    const leftMs = Math.floor(deadlineMs - performance.now());
    if (leftMs <= 0) {
      const seen = messages.map((message) => message.text ?? "(no text)").slice(-5);
      throw new Error(
        `no such message in chat ${chatId} within ${timeoutMs} ms; last seen: ${JSON.stringify(seen)}`,
      );
    }
    const changes = await remote.changes({ after, waitMs: Math.min(leftMs, 1_000) });
    after = changes[changes.length - 1]?.sequence ?? after;
  }
}
