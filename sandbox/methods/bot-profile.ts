/** Bot profile: methods for the bot's names, descriptions, photo and default rights. Source: Bot API. */
import { badRequest } from "../http/answer.ts";
import { flagsFrom, rightNames } from "../world/members.ts";
import { profilePhotos, readProfilePhoto } from "./business.ts";
import type { Call } from "./call.ts";
import { objectIn } from "./call.ts";
import { photoSizes } from "./media.ts";

interface BotText {
  /** The parameter, and the key in the result of the method that reads it. */
  readonly field: string;
  readonly lengthMax: number;
  readonly tooLong: string;
}

const name: BotText = { field: "name", lengthMax: 64, tooLong: "BOT_TITLE_TOO_LONG" };
const description: BotText = {
  field: "description",
  lengthMax: 512,
  tooLong: "BOT_DESCRIPTION_TOO_LONG",
};
const shortDescription: BotText = {
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
    const key = `${field}:${languageIn(parameters)}`;
    if (text === "") account.settings.delete(key);
    else account.settings.set(key, text);
    return true;
  };
}

/** The text in the language, or the one for all languages. */
function getText({ field }: BotText, missing: (call: Call) => string) {
  return (call: Call): unknown => {
    const { settings } = call.account;
    const own = settings.get(`${field}:${languageIn(call.parameters)}`);
    return { [field]: own ?? settings.get(`${field}:`) ?? missing(call) };
  };
}

function languageIn(parameters: Call["parameters"]): string {
  const code = parameters.text("language_code");
  if (code !== "" && !/^[a-z]{2}$/.test(code)) throw badRequest("LANG_CODE_INVALID");
  return code;
}

export function setMyProfilePhoto(call: Call): true {
  const sizes = photoSizes(readProfilePhoto(call));
  const { account } = call;
  account.settings.set(`photos:${account.id}`, [sizes, ...profilePhotos(call, account.id)]);
  return true;
}

export function removeMyProfilePhoto(call: Call): true {
  const [, ...rest] = profilePhotos(call, call.account.id);
  call.account.settings.set(`photos:${call.account.id}`, rest);
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
