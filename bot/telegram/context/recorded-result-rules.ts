/**
 * Recorded result: what a handler gets for a call that is made only after its commit.
 *
 * Its `message_id` is a reference to the message to come (core/message-reference.ts). Nothing else is
 * known of it, and reading anything else says so.
 */
import { NotSentYetError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../core/message.ts";

/** Draws the number that stands for the id of the message at this position. */
export type Draw = (position: number) => number;

/** Methods that send several messages, with the field that says how many. */
const listed: ReadonlyMap<string, string> = new Map([
  ["copymessages", "message_ids"],
  ["forwardmessages", "message_ids"],
  ["sendmediagroup", "media"],
]);
/** Methods that send no message, although their names say so. Source: Bot API, "Returns True". */
const sendNothing: ReadonlySet<string> = new Set([
  "sendchataction",
  "sendgift",
  "sendmessagedraft",
]);

/** @param fields The fields of the call, as its author gave them. */
export function recordedResult(method: string, fields: JsonObject, draw: Draw): object {
  const name = method.toLowerCase();
  const items = fields[listed.get(name) ?? ""];
  if (Array.isArray(items)) {
    return Object.freeze(items.map((_, position) => toCome(method, () => draw(position))));
  }
  const sends = messagesSent(method, fields) > 0;
  const edited = name.startsWith("edit") || name === "stoppoll" ? fields["message_id"] : undefined;
  if (typeof edited === "number") return toCome(method, () => edited);
  return toCome(method, sends ? () => draw(0) : undefined);
}

/** How many messages a call sends. */
export function messagesSent(method: string, fields: JsonObject): number {
  const name = method.toLowerCase();
  const items = fields[listed.get(name) ?? ""];
  if (Array.isArray(items)) return items.length;
  const sends = /^(send|copymessage$|forwardmessage$)/.test(name) && !sendNothing.has(name);
  return sends ? 1 : 0;
}

/** Stands for a message that does not exist yet. @param id Missing when the call gives no message. */
function toCome(method: string, id: (() => Json) | undefined): object {
  return new Proxy(Object.freeze({}), {
    get(_, field) {
      // `await` reads `then` and printing reads symbols; neither uses the result.
      if (field === "then" || typeof field === "symbol") return undefined;
      if (field === "message_id" && id) return id();
      throw new NotSentYetError(method, field);
    },
    has(_, field) {
      throw new NotSentYetError(method, String(field));
    },
  });
}
