/**
 * Managed bots: methods for bots that belong to a person and are run by this one.
 *
 * A bot is in this state when `control.manageBot` has made it so. Source: Bot API, getManagedBotToken.
 */
import { badRequest } from "../http/answer.ts";
import { randomId } from "../random.ts";
import { type Call, userId, userWith } from "./call.ts";

export interface ManagedBot {
  readonly token: string;
  readonly restricted: boolean;
  readonly addedUserIds: readonly number[];
}

/** The key of a managed bot among the account's settings. */
export function managedBotKey(id: number): string {
  return `managed-bot:${id}`;
}

export function getManagedBotToken(call: Call): string {
  return managedBot(call).bot.token;
}

export function replaceManagedBotToken(call: Call): string {
  const { bot, id } = managedBot(call);
  const token = newToken(call, id);
  call.account.settings.set(managedBotKey(id), { ...bot, token });
  return token;
}

export function newToken({ around }: Pick<Call, "around">, botId: number): string {
  const secret = Buffer.from(randomId(around.random) + randomId(around.random));
  return `${botId}:${secret.toString("base64url").slice(0, 35)}`;
}

export function getManagedBotAccessSettings(call: Call): unknown {
  const { addedUserIds, restricted } = managedBot(call).bot;
  const added_users = addedUserIds.map((id) => userWith(call, id));
  return { is_access_restricted: restricted, ...(restricted ? { added_users } : {}) };
}

export function setManagedBotAccessSettings(call: Call): true {
  const { parameters } = call;
  userId(call);
  const restricted = parameters.boolean("is_access_restricted");
  const given = restricted
    ? (parameters.json("added_user_ids", "can't parse added_user_ids JSON object") ?? [])
    : [];
  if (!Array.isArray(given)) throw badRequest("expected an Array of user identifiers");
  if (given.length > 10) throw badRequest("too many user identifiers specified");
  if (!given.every((id) => typeof id === "number")) {
    throw badRequest("user identifier must be a Number");
  }
  const { bot, id } = managedBot(call);
  for (const added of given) userWith(call, added);
  call.account.settings.set(managedBotKey(id), { ...bot, restricted, addedUserIds: given });
  return true;
}

function managedBot(call: Call): { readonly bot: ManagedBot; readonly id: number } {
  const id = userId(call);
  userWith(call, id);
  const bot = call.account.settings.get(managedBotKey(id)) as ManagedBot | undefined;
  if (!bot) throw badRequest("BOT_INVALID");
  return { bot, id };
}
