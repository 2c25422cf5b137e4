/** Settings: methods for a bot's commands and menu buttons, and `logOut` and `close`. */
import { ApiError, badRequest, succeedRaw, tooManyRequests } from "../http/answer.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account } from "../world/account.ts";
import type { Call } from "./call.ts";

export function getMe({ account }: Call): unknown {
  return {
    ...account.me,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: true,
    supports_guest_queries: true,
    can_connect_to_business: true,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: true,
  };
}

const commandPattern = /^[a-z0-9_]{1,32}$/;

interface BotCommand {
  readonly command: string;
  readonly description: string;
}

/** There is one list for each scope and language. */
function commandsKey(call: Call): string {
  const given = call.parameters.jsonOrNothing("scope");
  const { type, chat_id, user_id } = isRecord(given) ? given : {};
  const scope = [type ?? "default", chat_id ?? "", user_id ?? ""].join(":");
  return keyOf(scope, call.parameters.text("language_code"));
}

function keyOf(scope: string, language: string): string {
  return `commands:${scope}:${language}`;
}

/**
 * The commands that a person is offered in their own chat with the bot: the first list that is set.
 *
 * Source: Bot API, "Determining list of commands".
 */
export function commandsShownTo(
  { settings }: Account,
  userId: number,
  language: string,
): readonly BotCommand[] {
  const scopes = [`chat:${userId}:`, "all_private_chats::", "default::"];
  for (const scope of scopes) {
    const list = settings.get(keyOf(scope, language)) ?? settings.get(keyOf(scope, ""));
    if (list) return list as readonly BotCommand[];
  }
  return [];
}

export function setMyCommands(call: Call): true {
  const value = call.parameters.json("commands", "can't parse commands JSON object");
  if (!Array.isArray(value)) throw badRequest("expected an Array of BotCommand");
  if (value.length > 100) throw badRequest("BOT_COMMANDS_TOO_MUCH");
  const commands = value.map((item: unknown) => {
    if (!isRecord(item)) throw badRequest("can't parse BotCommand: expected an Object");
    const command = String(item["command"] ?? "").replace(/^\//, "");
    const description = String(item["description"] ?? "");
    if (!commandPattern.test(command)) throw badRequest("BOT_COMMAND_INVALID");
    if (description.trim() === "") throw badRequest("BOT_COMMAND_DESCRIPTION_INVALID");
    return { command, description };
  });
  call.account.settings.set(commandsKey(call), commands);
  return shown(call);
}

export function getMyCommands(call: Call): unknown {
  return call.account.settings.get(commandsKey(call)) ?? [];
}

export function deleteMyCommands(call: Call): true {
  call.account.settings.delete(commandsKey(call));
  return shown(call);
}

/** Every person's page asks for what it shows again. */
function shown({ account }: Call): true {
  account.changed({ kind: "chat", chatId: account.id });
  return true;
}

export function setChatMenuButton(call: Call): true {
  const { account, parameters } = call;
  const button = parameters.json("menu_button", "can't parse menu button JSON object");
  account.settings.set(`menu:${parameters.text("chat_id")}`, button ?? { type: "default" });
  return shown(call);
}

export function getChatMenuButton({ account, parameters }: Call): unknown {
  const own = account.settings.get(`menu:${parameters.text("chat_id")}`);
  return own ?? account.settings.get("menu:") ?? { type: "commands" };
}

/** The button beside the field in which a person writes. */
export function menuButtonShownTo({ settings }: Account, userId: number): MenuButton {
  const own = settings.get(`menu:${userId}`) as MenuButton | undefined;
  if (own && own["type"] !== "default") return own;
  const general = settings.get("menu:") as MenuButton | undefined;
  return general && general["type"] !== "default" ? general : { type: "commands" };
}

type MenuButton = Readonly<Record<string, unknown>>;

const loginMemoryMs = 1_800_000;

/** `close` is refused in the first ten minutes of a bot, unless the server is as young. */
const freshMs = 600_000;

/** Any later call starts the bot again. */
export function close({ account, around }: Call): true {
  const nowMs = around.clock.monotonicMs();
  if (account.closed) throw badRequest("the bot has already been closed");
  const freshForMs = account.startedAtMs + freshMs - nowMs;
  if (freshForMs > 0 && nowMs - around.startedAtMs > freshMs) {
    throw tooManyRequests(Math.ceil(freshForMs / 1_000));
  }
  account.closed = true;
  account.polling.finish(succeedRaw("[]"));
  return true;
}

export function logOut({ account, around }: Call): true {
  const nowMs = around.clock.monotonicMs();
  const ageMs = nowMs - account.startedAtMs;
  account.queue.clear("dropped");
  account.setWebhook(undefined);
  account.loggedOutUntilMs = nowMs + (ageMs > loginMemoryMs ? 1_000 : loginMemoryMs - ageMs);
  return true;
}

/** Throws while the bot is logged out. */
export function checkLoggedIn(account: Account, nowMs: number): void {
  if (nowMs < account.loggedOutUntilMs) throw new ApiError(400, "Logged out");
}
