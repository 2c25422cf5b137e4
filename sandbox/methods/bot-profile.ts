/** Bot profile: methods for the bot's names, descriptions, photo and default rights. Source: Bot API. */
import { badRequest } from "../http/answer.ts";
import type { Account } from "../world/account.ts";
import { flagsFrom, rightNames } from "../world/members.ts";
import { profilePhotos, readProfilePhoto } from "./business.ts";
import type { Call } from "./call.ts";
import { objectIn } from "./call.ts";
import { photoSizes } from "./media.ts";

/** One of the texts that a bot has in several languages. */
export interface BotText {
  /** The parameter, and the key in the result of the method that reads it. */
  readonly field: string;
  readonly lengthMax: number;
  readonly tooLong: string;
}

export const name: BotText = { field: "name", lengthMax: 64, tooLong: "BOT_TITLE_TOO_LONG" };
export const description: BotText = {
  field: "description",
  lengthMax: 512,
  tooLong: "BOT_DESCRIPTION_TOO_LONG",
};
export const shortDescription: BotText = {
  field: "short_description",
  lengthMax: 120,
  tooLong: "BOT_ABOUT_TOO_LONG",
};

export const setMyName = setText(name);
export const getMyName = getText(name, ({ account }) => account.me.first_name);
export const setMyDescription = setText(description);
export const getMyDescription = getText(description, () => "");
export const setMyShortDescription = setText(shortDescription);
export const getMyShortDescription = getText(shortDescription, () => "");

/** An empty text takes the language's own text away. */
function setText({ field, lengthMax, tooLong }: BotText): (call: Call) => true {
  return ({ account, parameters }) => {
    const text = parameters.text(field).trim();
    if ([...text].length > lengthMax) throw badRequest(tooLong);
    const language = languageIn(parameters);
    const key = `${field}:${language}`;
    if (text === "") account.settings.delete(key);
    else account.settings.set(key, text);
    // The name for all languages is also the name under the bot's messages.
    if (field === "name" && language === "") account.rename(text);
    account.changed({ kind: "chat", chatId: account.id });
    return true;
  };
}

function getText(text: BotText, missing: (call: Call) => string) {
  return (call: Call): unknown => {
    const own = botText(call.account, text, languageIn(call.parameters));
    return { [text.field]: own ?? missing(call) };
  };
}

/** The text in the language, or the one for all languages; undefined when there is neither. */
export function botText(
  { settings }: Account,
  { field }: BotText,
  language: string,
): string | undefined {
  return (settings.get(`${field}:${language}`) ?? settings.get(`${field}:`)) as string | undefined;
}

function languageIn(parameters: Call["parameters"]): string {
  const code = parameters.text("language_code");
  if (code !== "" && !/^[a-z]{2}$/.test(code)) throw badRequest("LANG_CODE_INVALID");
  return code;
}

export function setMyProfilePhoto(call: Call): true {
  const sizes = photoSizes(readProfilePhoto(call));
  const { account } = call;
  account.settings.set(`photos:${account.id}`, [sizes, ...profilePhotos(account, account.id)]);
  account.changed({ kind: "chat", chatId: account.id });
  return true;
}

export function removeMyProfilePhoto(call: Call): true {
  const { account } = call;
  const [, ...rest] = profilePhotos(account, account.id);
  account.settings.set(`photos:${account.id}`, rest);
  account.changed({ kind: "chat", chatId: account.id });
  return true;
}

export function setMyDefaultAdministratorRights(call: Call): true {
  const rights = objectIn(call, "rights", "ChatAdministratorRights") ?? {};
  call.account.settings.set(rightsKey(call), rights);
  return true;
}

export function getMyDefaultAdministratorRights(call: Call): unknown {
  const channels = call.parameters.boolean("for_channels");
  const names = ["is_anonymous", ...rightNames(channels ? "channel" : "supergroup")];
  const given = (call.account.settings.get(rightsKey(call)) ?? {}) as Record<string, unknown>;
  return flagsFrom(names, given);
}

function rightsKey({ parameters }: Call): string {
  return `rights:${parameters.boolean("for_channels") ? "channels" : "groups"}`;
}
