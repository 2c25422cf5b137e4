/** Paid media: photos and videos that are seen for Stars. Source: Bot API, sendPaidMedia. */
import { badRequest } from "../http/answer.ts";
import { readFormattedText } from "../text/formatted-text.ts";
import { isRecord } from "../text/reply-markup.ts";
import { captionContent } from "../world/account.ts";
import type { Message } from "../world/objects.ts";
import { arrayIn, type Call, type Effect } from "./call.ts";
import { checkCaption, checkFileName, mediaField } from "./media.ts";
import { prepareMessage } from "./sending.ts";

const starsMax = 25_000;
const mediaMax = 10;
const payloadBytesMax = 128;
const kinds = ["photo", "video", "live_photo"];

export function sendPaidMedia(call: Call): Effect {
  const { account, parameters } = call;
  const stars = parameters.integer("star_count");
  const names = arrayIn(call, "media", { malformed: "paid media", items: "InputPaidMedia" }).map(
    readName,
  );
  const payload = parameters.text("payload");
  if (Buffer.byteLength(payload) > payloadBytesMax) throw badRequest("PAYLOAD_TOO_LONG");
  const caption = readFormattedText(parameters, "caption", "caption_entities");
  const check = () => {
    checkCaption(caption.text);
    if (names.length === 0 || names.length > mediaMax)
      throw badRequest("wrong number of paid media specified");
    if (stars < 1 || stars > starsMax) throw badRequest("STARS_AMOUNT_INVALID");
    for (const { media } of names) checkFileName(call, media);
  };
  const effect = prepareMessage(call, { content: {}, check });
  const perform = () => {
    const paid_media = names.map(({ media, type }) => ({ type, ...mediaField(call, type, media) }));
    const content = { paid_media: { star_count: stars, paid_media }, ...captionContent(caption) };
    const message = prepareMessage(call, { content }).perform() as Message;
    account.payments.sellMedia(effect.room.id, message.message_id, {
      stars,
      payload,
      buyerIds: new Set(),
    });
    return message;
  };
  return { ...effect, perform };
}

function readName(value: unknown): { readonly type: string; readonly media: string } {
  const problem = (text: string) => badRequest(`can't parse InputPaidMedia: ${text}`);
  if (!isRecord(value)) throw problem("expected an Object");
  const { media } = value;
  const type = String(value["type"]);
  if (typeof media !== "string" || media === "") throw problem("media not found");
  if (!kinds.includes(type)) throw problem(`type "${type}" is unsupported`);
  return { type, media };
}
