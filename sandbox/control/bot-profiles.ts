/** Bot profiles: what a bot says about itself, as a person sees it in their language. */
import type { BotProfile } from "../control-api.ts";
import { botText, description, name, shortDescription } from "../methods/bot-profile.ts";
import { latestProfilePhoto } from "../methods/business.ts";
import { commandsShownTo, menuButtonShownTo } from "../methods/settings.ts";
import type { Account } from "../world/account.ts";
import type { User } from "../world/objects.ts";

export function botProfile(account: Account, { id, language_code = "" }: User): BotProfile {
  const { first_name, username = "" } = account.me;
  // Telegram compares the two letters of the language only.
  const language = language_code.slice(0, 2);
  return {
    name: botText(account, name, language) ?? first_name,
    username,
    description: botText(account, description, language) ?? "",
    shortDescription: botText(account, shortDescription, language) ?? "",
    photo: latestProfilePhoto(account, account.id) ?? null,
    commands: commandsShownTo(account, id, language),
    menuButton: menuButtonShownTo(account, id),
  };
}
