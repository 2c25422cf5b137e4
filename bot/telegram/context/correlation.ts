/**
 * Correlation: the id under which the log has everything that comes from one update.
 *
 * It needs no column: an update's row has its `update_id`, which stays the same over attempts, deaths
 * and requeueing, and a recorded call carries the id of the update that asked for it in its payload.
 */
import type { Message } from "../../core/message.ts";

/** "u" and the update's id; for what no update asked for, "m" and the message's id. */
export function cidOf({ id, payload, type }: Message): string {
  const { cid, update_id: updateId } = payload;
  if (type === "update") return typeof updateId === "number" ? `u${updateId}` : `m${id}`;
  return typeof cid === "string" ? cid : `m${id}`;
}
