/** Media: photos, documents and other files, one by one and as albums. */
import { badRequest } from "../http/answer.ts";
import type { UploadedFile } from "../http/body.ts";
import { formatText, readFormattedText } from "../text/formatted-text.ts";
import { isRecord } from "../text/reply-markup.ts";
import { captionContent, type MessageContent } from "../world/account.ts";
import type { FileStore, StoredFile } from "../world/file-store.ts";
import { type Call, type Effect, roomFor, type SendingMethod } from "./call.ts";
import {
  prepareMessage,
  readReplyTarget,
  repliedMessage,
  replyContent,
  threadContent,
} from "./sending.ts";

const captionLengthMax = 1_024;

interface MediaKind {
  readonly folder: string;
  /** The message's field, made from the file. */
  content(file: StoredFile): MessageContent;
}

/** The fields that Telegram's objects for files share. */
export const sizeOf = (file: StoredFile) => ({
  file_id: file.file_id,
  file_unique_id: file.file_unique_id,
  file_size: file.file_size,
});
const frame = { width: 640, height: 360 };
/** Telegram's `PhotoSize` list; the sandbox makes no smaller ones. */
export const photoSizes = (file: StoredFile) => [{ ...sizeOf(file), ...frame }];
const named = (file: StoredFile) => (file.fileName ? { file_name: file.fileName } : {});

const kinds: Readonly<Record<string, MediaKind>> = {
  photo: {
    folder: "photos",
    content: (file) => ({ photo: photoSizes(file) }),
  },
  document: {
    folder: "documents",
    content: (file) => ({ document: { ...named(file), ...sizeOf(file) } }),
  },
  video: {
    folder: "videos",
    content: (file) => ({ video: { duration: 1, ...frame, ...named(file), ...sizeOf(file) } }),
  },
  // An animation is also a document: Telegram sends both fields, for old clients.
  animation: {
    folder: "animations",
    content: (file) => ({
      animation: { duration: 1, ...frame, ...named(file), ...sizeOf(file) },
      document: { ...named(file), ...sizeOf(file) },
    }),
  },
  audio: {
    folder: "music",
    content: (file) => ({ audio: { duration: 1, ...named(file), ...sizeOf(file) } }),
  },
  live_photo: {
    folder: "live_photos",
    content: (file) => ({ live_photo: { ...sizeOf(file), ...frame, duration: 3 } }),
  },
  voice: { folder: "voice", content: (file) => ({ voice: { duration: 1, ...sizeOf(file) } }) },
  video_note: {
    folder: "video_notes",
    content: (file) => ({ video_note: { duration: 1, length: 240, ...sizeOf(file) } }),
  },
  sticker: {
    folder: "stickers",
    content: (file) => ({
      sticker: { type: "regular", ...frame, is_animated: false, is_video: false, ...sizeOf(file) },
    }),
  },
};

export function isFileKind(name: string): boolean {
  return Object.hasOwn(kinds, name);
}

/** Stores a person's file. @returns the field of its message. */
export function fileContent(files: FileStore, kind: string, file: UploadedFile): MessageContent {
  const { content, folder } = kinds[kind] as MediaKind;
  return content(files.upload(folder, file));
}

/** `sendPhoto` and similar methods. @param field The parameter that names the file, such as `photo`. */
export function sendMedia(field: string): SendingMethod {
  const kind = kinds[field] as MediaKind;
  return (call) => {
    const { parameters } = call;
    const upload = parameters.file(field);
    const named = parameters.text(field);
    const what = field.replace("_", " ");
    if (!upload && named === "") throw badRequest(`there is no ${what} in the request`);
    if (field === "live_photo" && !parameters.file("photo") && parameters.text("photo") === "") {
      throw badRequest("there is no photo in the request");
    }
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
        const content = {
          ...described(call, kind.content(file)),
          ...captionContent(caption),
          ...(parameters.boolean("show_caption_above_media")
            ? { show_caption_above_media: true }
            : {}),
          ...(parameters.boolean("has_spoiler") ? { has_media_spoiler: true } : {}),
        };
        return prepareMessage(call, { content }).perform();
      },
    };
  };
}

/** The bot's own words about a file, which the sandbox does not look into. */
function described({ parameters }: Call, content: MessageContent): MessageContent {
  const numbers = ["duration", "width", "height", "length"];
  const words = ["title", "performer", "emoji"];
  const told = Object.fromEntries([
    ...numbers.map((name) => [name, parameters.integer(name)] as const),
    ...words.map((name) => [name, parameters.text(name)] as const),
  ]);
  const fields = Object.entries(content).map(([field, value]) => {
    if (!isRecord(value)) return [field, value];
    const known = Object.entries(told).filter(
      ([name, given]) => given && (name in value || words.includes(name)),
    );
    return [field, { ...value, ...Object.fromEntries(known) }];
  });
  return Object.fromEntries(fields) as MessageContent;
}

/** Throws when the caption is too long. */
export function checkCaption(text: string): void {
  if (text.length > captionLengthMax && [...text].length > captionLengthMax) {
    throw badRequest("message caption is too long");
  }
}

/** Throws when the text is neither an upload, nor a file id, nor an address. */
export function checkFileName(call: Call, name: string): void {
  if (name.startsWith("attach://")) {
    if (call.parameters.file(name.slice("attach://".length))) return;
  } else if (/^https?:/i.test(name)) {
    if (URL.canParse(name)) return;
    throw badRequest("wrong HTTP URL specified");
  } else if (localFile(call, name)) {
    return;
  } else if (call.account.files.get(name)) return;
  throw badRequest("wrong file identifier/HTTP URL specified");
}

/** The file that a text names: an upload, a file id or an address. Throws Telegram's errors. */
export function storedFile(call: Call, folder: string, name: string): StoredFile {
  const { files } = call.account;
  const upload = name.startsWith("attach://")
    ? call.parameters.file(name.slice("attach://".length))
    : undefined;
  const local = upload ?? localFile(call, name);
  if (local) return files.upload(folder, local);
  const known = files.get(name);
  if (known) return known;
  checkFileName(call, name);
  return files.link(folder, new URL(name));
}

/** A file of this machine, which a bot may name in `--local` mode. */
function localFile({ around }: Call, name: string): UploadedFile | undefined {
  return name.startsWith("file:") ? around.localFiles?.read(name) : undefined;
}

/** The message's field for a file of this kind, such as `photo`. */
export function mediaField(call: Call, type: string, name: string): MessageContent {
  const kind = kinds[type] as MediaKind;
  return kind.content(storedFile(call, kind.folder, name));
}

interface AlbumItem {
  readonly kind: MediaKind;
  readonly media: string;
  readonly caption: MessageContent;
}

const albumKinds: ReadonlySet<string> = new Set([
  "photo",
  "video",
  "document",
  "audio",
  "live_photo",
]);
const albumMin = 2;
const albumMax = 10;

export function sendMediaGroup(call: Call): Effect {
  const items = readAlbum(call);
  const target = readReplyTarget(call);
  const room = roomFor(call, "write");
  const thread = threadContent(call, room);
  const replied = repliedMessage(room, target);
  for (const item of items) checkFileName(call, item.media);
  const albumId = String(Math.floor(call.around.random() * 2 ** 52));
  const post = ({ kind, media, caption }: AlbumItem) => {
    const file = storedFile(call, kind.folder, media);
    const content = { ...thread, ...replyContent(replied), media_group_id: albumId };
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
  const { account, around, parameters } = call;
  const file = account.files.get(parameters.text("file_id"));
  if (!file) throw badRequest("invalid file_id");
  const { localFiles } = around;
  if (localFiles) {
    return { ...sizeOf(file), file_path: localFiles.pathOf(account.token, file) };
  }
  if (file.file_size > downloadBytesMax) throw badRequest("file is too big");
  return { ...sizeOf(file), file_path: file.path };
}
