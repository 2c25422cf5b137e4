/** Accepted updates: what Telegram has brought, by whichever way, committed to the queue. */
import type { Publish } from "../../core/events.ts";
import type { RawUpdate } from "../../core/intake.ts";
import type { NewMessage } from "../../core/message.ts";
import type { EnqueueResult } from "../../core/store.ts";
import { parseUpdate, toIncomingMessage } from "./update-message.ts";

/** Commits messages in one transaction; resolves when they are on disk. */
export type AcceptUpdates = (messages: readonly NewMessage[]) => Promise<readonly EnqueueResult[]>;

export interface CommitDeps {
  readonly botId: string;
  readonly accept: AcceptUpdates;
  readonly publish: Publish;
}

/**
 * Commits what is an update among `values`, in one transaction.
 *
 * @returns the highest id among them; `undefined` when there was none. Rejects as `accept` does.
 */
export async function commitUpdates(
  values: readonly unknown[],
  { accept, botId, publish }: CommitDeps,
): Promise<number | undefined> {
  const updates: RawUpdate[] = [];
  for (const value of values) {
    const update = parseUpdate(value);
    if (update) updates.push(update);
    else publish({ type: "update.ignored", updateId: undefined, reason: "no update_id" });
  }
  if (updates.length === 0) return undefined;
  const results = await accept(updates.map((update) => toIncomingMessage(update, botId)));
  const duplicates = results.filter((result) => result.kind === "duplicate").length;
  publish({ type: "updates.received", received: updates.length, duplicates });
  return Math.max(...updates.map((update) => update.update_id));
}
