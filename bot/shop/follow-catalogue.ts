/** Follow catalogue: looks at the catalogue file with the updates that come, and tells administrators. */
import { Composer, type MiddlewareFn } from "telegraf";
import type { BotContext } from "../kit/bot-context.ts";
import type { Kit } from "../kit/module.ts";
import { adminTexts } from "./admin/admin-texts.ts";
import type { CatalogueFile } from "./catalogue-file.ts";
import { languageOf } from "./commands/texts.ts";
import { languageTagOf } from "./people/standing.ts";

/** Characters of a report; it fits into one message. */
const reportLengthMax = 3_500;

/** Middleware for use before everything else. */
export function followCatalogue(
  file: CatalogueFile,
  { adminIds, publish, read }: Pick<Kit<unknown>, "adminIds" | "publish" | "read">,
): MiddlewareFn<BotContext> {
  const look = ({ receivedAtEpochMs, update }: BotContext) =>
    file.look(update.update_id, receivedAtEpochMs);
  const tell: MiddlewareFn<BotContext> = async (ctx, next) => {
    const news = look(ctx);
    publish({
      type: "business.recorded",
      name: `catalogue_${news}`,
      // The file was changed by nobody whom Telegram knows.
      userId: 0,
      facts: {
        products: file.catalogue.products.length,
        problems: file.problem?.problems.length ?? 0,
      },
    });
    for (const adminId of adminIds) {
      const t = adminTexts(languageOf(await read((tx) => languageTagOf(tx, adminId))));
      const text =
        news === "refused"
          ? `${t.fileProblem}\n${file.problem?.message ?? ""}`.slice(0, reportLengthMax)
          : t.fileTaken(String(file.catalogue.products.length));
      await ctx.telegram.sendMessage(adminId, text);
    }
    return next();
  };
  return Composer.optional((ctx) => look(ctx) !== undefined, tell);
}
