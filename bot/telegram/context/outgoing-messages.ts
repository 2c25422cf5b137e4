/** Outgoing messages: a call as its author wrote it, as the messages of the queue that make it. */
import type { AmbiguousPolicy, JsonObject, MessageKey, NewMessage } from "../../core/message.ts";
import { type OutgoingOptions, toCallMessage } from "../delivery/call-message.ts";
import { type PlainCall, splitCall } from "./split-call-rules.ts";

/** The options an author may give with a call (kit/outbox.ts). */
export interface CallTerms {
  /** Default: `send`. */
  readonly type?: "broadcast";
  readonly availableAtEpochMs?: number;
  readonly expiresAtEpochMs?: number;
  readonly ambiguous?: AmbiguousPolicy;
  readonly key?: MessageKey;
}

/**
 * @returns several messages when a text is too long for one, and the call's plain fields.
 * @throws UnrecordableCallError
 */
export function toOutgoingMessages(
  method: string,
  payload: unknown,
  options: OutgoingOptions,
  terms: CallTerms = {},
): { readonly fields: JsonObject; readonly messages: readonly NewMessage[] } {
  const whole = toCallMessage(method, payload, options);
  const call = whole.payload as unknown as PlainCall;
  const parts = splitCall(call);
  const messages =
    parts.length > 1
      ? parts.map((part) => toCallMessage(part.method, part.payload, options))
      : [whole];
  const fields = call.payload as JsonObject;
  if (Object.keys(terms).length === 0) return { fields, messages };
  return { fields, messages: messages.map((message) => ({ ...message, ...terms })) };
}

/** The rest of a caption that is too long follows as texts, so all files are in the first message. */
export function withFiles(
  messages: readonly NewMessage[],
  files: readonly string[],
): readonly NewMessage[] {
  const [first, ...others] = messages;
  return first && files.length > 0 ? [{ ...first, files }, ...others] : messages;
}
