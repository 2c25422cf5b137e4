/** Media: photos, documents and other files, one by one and as albums. */
import { badRequest } from "../http/answer.ts";
import { formatText, readFormattedText } from "../text/formatted-text.ts";
import { isRecord } from "../text/reply-markup.ts";
import { captionContent, type MessageContent } from "../world/account.ts";
import type { StoredFile } from "../world/file-store.ts";
import { type Call, type Effect, roomFor, type SendingMethod } from "./call.ts";
import {
  checkThread,
  prepareMessage,
  readReplyTarget,
  repliedMessage,
  replyContent,
} from "./sending.ts";

const captionLengthMax = 1_024;

interface MediaKind {
  readonly folder: string;
  /** The message's field, made from the file. */
  content(file: StoredFile): MessageContent;
}

const size = (file: StoredFile) => ({
  file_id: file.file_id,
  file_unique_id: file.file_unique_id,
  file_size: file.file_size,
});
const frame = { width: 640, height: 360 };
const named = (file: StoredFile) => (file.fileName ? { file_name: file.fileName } : {});

const kinds: Readonly<Record<string, MediaKind>> = {
  photo: {
    folder: "photos",
    content: (file) => ({ photo: [{ ...size(file), ...frame }] }),
  },
  document: {
    folder: "documents",
    content: (file) => ({ document: { ...named(file), ...size(file) } }),
  },
  video: {
    folder: "videos",
    content: (file) => ({ video: { duration: 1, ...frame, ...named(file), ...size(file) } }),
  },
  // An animation is also a document: Telegram sends both fields, for old clients.
  animation: {
    folder: "animations",
    content: (file) => ({
      animation: { duration: 1, ...frame, ...named(file), ...size(file) },
      document: { ...named(file), ...size(file) },
    }),
  },
  audio: {
    folder: "music",
    content: (file) => ({ audio: { duration: 1, ...named(file), ...size(file) } }),
  },
  voice: { folder: "voice", content: (file) => ({ voice: { duration: 1, ...size(file) } }) },
  video_note: {
    folder: "video_notes",
    content: (file) => ({ video_note: { duration: 1, length: 240, ...size(file) } }),
  },
  sticker: {
    folder: "stickers",
    content: (file) => ({
      sticker: { type: "regular", ...frame, is_animated: false, is_video: false, ...size(file) },
    }),
  },
};

/** `sendPhoto` and similar methods. @param field The parameter that names the file, such as `photo`. */
export function sendMedia(field: string): SendingMethod {
  const kind = kinds[field] as MediaKind;
  return (call) => {
    const { parameters } = call;
    const upload = parameters.file(field);
    const named = parameters.text(field);
    if (!upload && named === "") throw badRequest(`there is no ${field} in the request`);
    const caption = readFormattedText(parameters, "caption", "caption_entities");
    const check = () => checkCaption(caption.text);
    // The file is stored after all checks, so that a refused call stores nothing.
    const effect = prepareMessage(call, { content: {}, check });
    if (!upload) checkFileName(call, named);
    return {
      ...effect,
      perform: () => {
        const file = upload
          ? call.account.files.upload(kind.folder, upload)
          : storedFile(call, kind.folder, named);
        const content = { ...kind.content(file), ...captionContent(caption) };
        return prepareMessage(call, { content }).perform();
      },
    };
  };
}

function checkCaption(text: string): void {
  if (text.length > captionLengthMax && [...text].length > captionLengthMax) {
    throw badRequest("message caption is too long");
  }
}

/** Throws when the text is neither an upload, nor a file id, nor an address. */
function checkFileName(call: Call, name: string): void {
  if (name.startsWith("attach://")) {
    if (call.parameters.file(name.slice("attach://".length))) return;
  } else if (/^https?:/i.test(name)) {
    if (URL.canParse(name)) return;
    throw badRequest("wrong HTTP URL specified");
  } else if (call.account.files.get(name)) return;
  throw badRequest("wrong file identifier/HTTP URL specified");
}

function storedFile(call: Call, folder: string, name: string): StoredFile {
  const { files } = call.account;
  const upload = name.startsWith("attach://")
    ? call.parameters.file(name.slice("attach://".length))
    : undefined;
  if (upload) return files.upload(folder, upload);
  const known = files.get(name);
  if (known) return known;
  checkFileName(call, name);
  return files.link(folder, new URL(name));
}

interface AlbumItem {
  readonly kind: MediaKind;
  readonly media: string;
  readonly caption: MessageContent;
}

const albumKinds: ReadonlySet<string> = new Set(["photo", "video", "document", "audio"]);
const albumMin = 2;
const albumMax = 10;

export function sendMediaGroup(call: Call): Effect {
  const items = readAlbum(call);
  const target = readReplyTarget(call);
  const room = roomFor(call, "write");
  checkThread(call, room);
  const replied = repliedMessage(room, target);
  for (const item of items) checkFileName(call, item.media);
  const albumId = String(Math.floor(call.around.random() * 2 ** 52));
  const post = ({ kind, media, caption }: AlbumItem) => {
    const file = storedFile(call, kind.folder, media);
    const content = { ...replyContent(replied), media_group_id: albumId };
    return call.account.post(room, call.account.me, {
      ...content,
      ...kind.content(file),
      ...caption,
    });
  };
  return { room, cost: items.length, perform: () => items.map(post) };
}

function readAlbum({ parameters }: Call): readonly AlbumItem[] {
  const media = parameters.json("media", "can't parse media JSON object");
  if (!Array.isArray(media)) throw badRequest("can't parse media JSON object");
  if (media.length < albumMin) throw badRequest("group must contain at least 2 messages");
  if (media.length > albumMax) throw badRequest("too many messages to send as an album");
  return media.map((item: unknown) => {
    if (!isRecord(item)) throw badRequest("can't parse InputMedia: expected an Object");
    const type = String(item["type"]);
    const kind = kinds[type];
    if (!kind || !albumKinds.has(type)) throw badRequest("can't parse InputMedia: wrong type");
    if (typeof item["media"] !== "string" || item["media"] === "") {
      throw badRequest("can't parse InputMedia: media not found");
    }
    const mode = String(item["parse_mode"] ?? "");
    const caption = formatText(String(item["caption"] ?? ""), mode, item["caption_entities"]);
    checkCaption(caption.text);
    return { kind, media: item["media"], caption: captionContent(caption) };
  });
}

/** `editMessageMedia`'s new content. */
export function readInputMedia(call: Call): MessageContent {
  const item = call.parameters.json("media", "can't parse InputMedia JSON object");
  const kind = isRecord(item) ? kinds[String(item["type"])] : undefined;
  if (!isRecord(item) || !kind || typeof item["media"] !== "string") {
    throw badRequest("can't parse InputMedia: wrong type");
  }
  const mode = String(item["parse_mode"] ?? "");
  const caption = formatText(String(item["caption"] ?? ""), mode, item["caption_entities"]);
  checkCaption(caption.text);
  const file = storedFile(call, kind.folder, item["media"]);
  return { ...kind.content(file), ...captionContent(caption) };
}

const downloadBytesMax = 20 * 2 ** 20;

export function getFile(call: Call): unknown {
  const file = call.account.files.get(call.parameters.text("file_id"));
  if (!file) throw badRequest("invalid file_id");
  if (file.file_size > downloadBytesMax) throw badRequest("file is too big");
  return { ...size(file), file_path: file.path };
}
