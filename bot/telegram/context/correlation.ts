/**
 * Correlation: derives the id under which the log has everything that comes from one update.
 *
 * The id needs no column: an update's row has its `update_id`, which stays the same over attempts,
 * deaths and requeueing, and the payload of a recorded call carries the id of its update.
 */
import type { Message } from "../../core/message.ts";

/** Returns "u" and the update's id; without an update, "m" and the message's id. */
export function cidOf({ id, payload, type }: Message): string {
  const { cid, update_id: updateId } = payload;
  if (type === "update") return typeof updateId === "number" ? `u${updateId}` : `m${id}`;
  return typeof cid === "string" ? cid : `m${id}`;
}
