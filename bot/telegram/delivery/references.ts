/**
 * References: puts Telegram's ids in the place of references when a call is made.
 *
 * Within a chat the order of the queue makes sure that the message referred to was sent, or given up,
 * before. A call to another chat waits for it, for a day at most.
 */
import { ReferenceLostError, ReferenceWaitingError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/message.ts";
import { referencesIn, withTelegramIds } from "../../core/message-reference.ts";
import type { QueueStore } from "../../core/store.ts";

export type ReferenceStore = Pick<QueueStore, "resolveReference">;

/**
 * @param waitsBehind Whether a message in that lane can only be sent after this call. Then the call
 *   would wait for ever: an operator has put back its message, and then the one that it refers to.
 * @throws {ReferenceLostError | ReferenceWaitingError} when a reference has no id.
 */
export async function resolveReferences(
  store: ReferenceStore,
  method: string,
  fields: JsonObject,
  waitsBehind: (lane: string) => boolean = () => false,
): Promise<JsonObject> {
  const telegramIds = new Map<number, number>();
  for (const reference of referencesIn(fields)) {
    const state = await store.resolveReference(reference);
    switch (state.kind) {
      case "delivered":
        telegramIds.set(reference, state.telegramId);
        break;
      case "waiting":
        if (waitsBehind(state.lane)) throw new ReferenceLostError(method, undefined);
        throw new ReferenceWaitingError(method);
      case "dead":
        throw new ReferenceLostError(method, state.deadLetterId);
      case "unknown":
        throw new ReferenceLostError(method, undefined);
    }
  }
  return telegramIds.size === 0 ? fields : withTelegramIds(fields, telegramIds);
}

/** The ids in the result of a call that sends, in order; none when it sends nothing. */
export function telegramIdsOf(result: unknown): readonly number[] {
  const sent = Array.isArray(result) ? result : [result];
  return sent.map((one: { message_id?: unknown } | null) => one?.message_id).filter(isNumber);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}
