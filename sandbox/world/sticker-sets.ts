/** Sticker sets: the sets that one bot has made, and those that exist in the sandbox from the start. */
import type { StoredFile } from "./file-store.ts";
import { LatestMap } from "./latest-map.ts";

export type StickerType = "regular" | "mask" | "custom_emoji";

export interface Sticker {
  readonly file: StoredFile;
  readonly format: string;
  readonly emojis: readonly string[];
  readonly keywords: readonly string[];
  readonly customEmojiId?: string;
  readonly maskPosition?: unknown;
}

export interface StickerSet {
  readonly name: string;
  readonly title: string;
  readonly type: StickerType;
  readonly stickers: readonly Sticker[];
  readonly thumbnail?: StoredFile;
}

const setsMax = 1_000;

export class StickerSets {
  /** By the name in lower case. */
  readonly #sets = new LatestMap<string, StickerSet>(setsMax);

  get(name: string): StickerSet | undefined {
    return this.#sets.get(name.trim().toLowerCase());
  }

  put(set: StickerSet): void {
    this.#sets.set(set.name.toLowerCase(), set);
  }

  remove(name: string): boolean {
    return this.#sets.delete(name.trim().toLowerCase());
  }

  /** The set that has a sticker with this file. */
  withFile(fileId: string): StickerSet | undefined {
    return [...this.#sets.values()].find(({ stickers }) =>
      stickers.some(({ file }) => file.file_id === fileId),
    );
  }

  customEmoji(id: string): { readonly set: StickerSet; readonly sticker: Sticker } | undefined {
    for (const set of this.#sets.values()) {
      const sticker = set.stickers.find(({ customEmojiId }) => customEmojiId === id);
      if (sticker) return { set, sticker };
    }
    return undefined;
  }
}

/** Telegram's `Sticker`. */
export function stickerObject(sticker: Sticker, set: Pick<StickerSet, "name" | "type">): object {
  const { file, format, emojis, customEmojiId, maskPosition } = sticker;
  const [emoji] = emojis;
  return {
    width: set.type === "custom_emoji" ? 100 : 512,
    height: set.type === "custom_emoji" ? 100 : 512,
    ...(emoji ? { emoji } : {}),
    set_name: set.name,
    is_animated: format === "animated",
    is_video: format === "video",
    type: set.type,
    ...(maskPosition ? { mask_position: maskPosition } : {}),
    ...(customEmojiId ? { custom_emoji_id: customEmojiId } : {}),
    file_id: file.file_id,
    file_unique_id: file.file_unique_id,
    file_size: file.file_size,
  };
}
