/** Sticker owners: people who publish sticker sets, which a bot may use but not change. */
import type { SandboxControl } from "../control-api.ts";
import type { Sticker } from "../world/sticker-sets.ts";
import type { PeopleOptions } from "./actors.ts";
import { ControlError, textIn } from "./control-error.ts";

const stickersMax = 120;
/** A picture of one transparent point. */
const content = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg==",
  "base64",
);

export function createStickerOwners({
  account: accountFor,
}: PeopleOptions): Pick<SandboxControl, "createStickerSet"> {
  return {
    createStickerSet: (request) => {
      const account = accountFor(request.botId);
      const name = textIn({ ...request }, "name");
      const title = textIn({ ...request }, "title");
      const { emojis } = request;
      if (!Array.isArray(emojis) || emojis.length < 1 || emojis.length > stickersMax) {
        throw new ControlError(400, `emojis must be a list of 1 to ${stickersMax}`);
      }
      const stickers = emojis.map((emoji: unknown): Sticker => {
        const file = account.files.upload("stickers", { fileName: "sticker.webp", content });
        return { file, format: "static", emojis: [String(emoji)], keywords: [] };
      });
      account.stickerSets.put({ name, title, type: "regular", stickers });
      return { name, stickers: stickers.length };
    },
  };
}
