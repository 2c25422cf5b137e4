/**
 * Split call: makes several calls of one whose text or caption is too long for one message.
 *
 * The parts are messages of their own, recorded one after the other in one commit. They stand in one
 * lane, so nothing comes between them; each costs one under flood control; and after a death only the
 * part that was under way is ambiguous, not the whole text. Markup becomes `entities`, so that what is
 * open at a cut is closed there and opened again behind it.
 *
 * Edits are not split: a bot that edits a text as it grows would send its tail with each edit. Their
 * text is cut when Telegram refuses it (delivery/text-fields-rules.ts).
 */
import type { Json, JsonObject } from "../../core/message.ts";
import { type FormattedText, readMarkup } from "../delivery/markup-rules.ts";
import { captionLengthMax, textLengthMax } from "../delivery/text-fields-rules.ts";
import { splitText } from "./split-text-rules.ts";

export interface PlainCall {
  readonly method: string;
  readonly payload: JsonObject;
}

/** The fields of a call that the texts behind its media get as well. */
const sharedFields = [
  "allow_paid_broadcast",
  "business_connection_id",
  "chat_id",
  "direct_messages_topic_id",
  "disable_notification",
  "message_thread_id",
  "protect_content",
];
/** The fields that belong to the first part: what is replied to, and an effect shown once. */
const firstFields = [
  "allow_sending_without_reply",
  "message_effect_id",
  "reply_parameters",
  "reply_to_message_id",
];

/** @returns the call itself when one message is enough. */
export function splitCall(call: PlainCall): readonly PlainCall[] {
  const method = call.method.toLowerCase();
  if (method === "sendmessage") return splitMessage(call);
  if (method === "sendmediagroup") return splitAlbum(call);
  if (method.startsWith("send") || method === "copymessage") return splitCaption(call);
  return [call];
}

function splitMessage(call: PlainCall): readonly PlainCall[] {
  const parts = partsOf(call.payload, "text", "entities", () => textLengthMax);
  if (!parts) return [call];
  const { entities, parse_mode, text, ...common } = call.payload;
  return inOrder(
    parts.map((part) => ({ ...call, payload: { ...common, ...textOf(part) } })),
    call.payload,
  );
}

function splitCaption(call: PlainCall): readonly PlainCall[] {
  const parts = captionParts(call.payload);
  if (!parts) return [call];
  const media = { ...call, payload: withCaption(call.payload, parts[0]) };
  return inOrder([media, ...textsBehind(call.payload, parts.slice(1))], call.payload);
}

/** An album has a caption for each item; what does not fit follows behind all of them. */
function splitAlbum(call: PlainCall): readonly PlainCall[] {
  const { media } = call.payload;
  if (!Array.isArray(media)) return [call];
  const tails: FormattedText[] = [];
  const items = media.map((item: Json) => {
    const parts = isObject(item) ? captionParts(item) : undefined;
    if (!isObject(item) || !parts) return item;
    tails.push(...parts.slice(1));
    return withCaption(item, parts[0]);
  });
  if (tails.length === 0) return [call];
  const album = { ...call, payload: { ...call.payload, media: items } };
  return [album, ...textsBehind(call.payload, tails)];
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function captionParts(holder: JsonObject): readonly FormattedText[] | undefined {
  const lengthMax = (index: number) => (index === 0 ? captionLengthMax : textLengthMax);
  return partsOf(holder, "caption", "caption_entities", lengthMax);
}

/** @returns `undefined` when one message is enough. */
function partsOf(
  holder: JsonObject,
  name: string,
  entitiesName: string,
  lengthMax: (index: number) => number,
): readonly FormattedText[] | undefined {
  const source = holder[name];
  // Markup only makes a text longer.
  if (typeof source !== "string" || source.length <= lengthMax(0)) return undefined;
  const whole = readMarkup(source, holder["parse_mode"], holder[entitiesName]);
  if (whole.text.trim().length <= lengthMax(0)) return undefined;
  const parts = splitText(whole, lengthMax);
  return parts.length > 1 ? parts : undefined;
}

function textOf({ entities, text }: FormattedText): JsonObject {
  return { text, ...(entities.length > 0 && { entities }) };
}

function withCaption(holder: JsonObject, part: FormattedText | undefined): JsonObject {
  const { caption, caption_entities, parse_mode, ...rest } = holder;
  const { entities = [], text = "" } = part ?? {};
  return {
    ...rest,
    caption: text,
    ...(entities.length > 0 && { caption_entities: entities }),
  };
}

function textsBehind(payload: JsonObject, parts: readonly FormattedText[]): readonly PlainCall[] {
  const shared = Object.entries(payload).filter(([name]) => sharedFields.includes(name));
  return parts.map((part) => ({
    method: "sendMessage",
    payload: { ...Object.fromEntries(shared), ...textOf(part) },
  }));
}

/** The first part keeps what the text replies to, the last one has the keyboard. */
function inOrder(calls: readonly PlainCall[], whole: JsonObject): readonly PlainCall[] {
  const keyboard = whole["reply_markup"];
  return calls.map(({ method, payload }, index) => {
    const fields = Object.entries(payload).filter(
      ([name]) => name !== "reply_markup" && (index === 0 || !firstFields.includes(name)),
    );
    const last = index === calls.length - 1 && keyboard !== undefined;
    return {
      method,
      payload: { ...Object.fromEntries(fields), ...(last && { reply_markup: keyboard }) },
    };
  });
}
