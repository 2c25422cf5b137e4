/** Settings: what a bot says about itself, its webhook's state, and its sessions. */
import { ApiError, badRequest, succeedRaw } from "../http/answer.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { Account } from "../world/account.ts";
import type { Call } from "./call.ts";

export function getMe({ account }: Call): unknown {
  return {
    ...account.me,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: true,
    supports_guest_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: false,
    allows_users_to_create_topics: false,
    can_manage_bots: false,
  };
}

const commandPattern = /^[a-z0-9_]{1,32}$/;

/** One list for each scope and language. */
function commandsKey({ parameters }: Call): string {
  const scope = parameters.jsonOrNothing("scope");
  const { type, chat_id, user_id } = isRecord(scope) ? scope : {};
  const place = [type ?? "default", chat_id ?? "", user_id ?? ""].join(":");
  return `commands:${place}:${parameters.text("language_code")}`;
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
  return true;
}

export function getMyCommands(call: Call): unknown {
  return call.account.settings.get(commandsKey(call)) ?? [];
}

export function deleteMyCommands(call: Call): true {
  call.account.settings.delete(commandsKey(call));
  return true;
}

/** `setMyName` and the like. @param field Also the key of what `getMyName` returns. */
export function setText(field: string): (call: Call) => true {
  return ({ account, parameters }) => {
    account.settings.set(`${field}:${parameters.text("language_code")}`, parameters.text(field));
    return true;
  };
}

export function getText(field: string, missing: (account: Account) => string) {
  return ({ account, parameters }: Call): unknown => {
    const text = account.settings.get(`${field}:${parameters.text("language_code")}`);
    return { [field]: text ?? missing(account) };
  };
}

export function setChatMenuButton({ account, parameters }: Call): true {
  const button = parameters.json("menu_button", "can't parse menu button JSON object");
  account.settings.set(`menu:${parameters.text("chat_id")}`, button ?? { type: "default" });
  return true;
}

export function getChatMenuButton({ account, parameters }: Call): unknown {
  const own = account.settings.get(`menu:${parameters.text("chat_id")}`);
  return own ?? account.settings.get("menu:") ?? { type: "commands" };
}

/** A result with a description beside it, which only the webhook methods have. */
export class DescribedResult {
  readonly result: unknown;
  readonly description: string;

  constructor(result: unknown, description: string) {
    this.result = result;
    this.description = description;
  }
}

const secretBytesMax = 256;

export function setWebhook(call: Call): DescribedResult {
  const { account, parameters } = call;
  account.allowedUpdates.set(parameters.jsonOrNothing("allowed_updates"));
  const url = parameters.text("url");
  if (url === "") return deleteWebhook(call);
  const state = {
    url,
    maxConnections: parameters.integerWithin("max_connections", 1, 100_000, 100),
    secretToken: parameters.text("secret_token"),
    ipAddress: parameters.text("ip_address"),
  };
  const drop = parameters.boolean("drop_pending_updates");
  if (!drop && JSON.stringify(state) === JSON.stringify(account.webhook)) {
    return new DescribedResult(true, "Webhook is already set");
  }
  account.polling.terminate("terminated by setWebhook request");
  // The old one is gone before the new one is looked at: a refused call leaves no webhook.
  account.webhook = undefined;
  if (drop) account.queue.clear("dropped");
  checkWebhook(url, state.secretToken);
  account.webhook = state;
  return new DescribedResult(true, "Webhook was set");
}

function checkWebhook(url: string, secretToken: string): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw badRequest("invalid webhook URL specified");
  }
  if (Buffer.byteLength(secretToken) > secretBytesMax) throw badRequest("secret token is too long");
  if (!/^[A-Za-z0-9_-]*$/.test(secretToken)) {
    throw badRequest("secret token contains unallowed characters");
  }
}

export function deleteWebhook({ account, parameters }: Call): DescribedResult {
  if (parameters.boolean("drop_pending_updates")) account.queue.clear("dropped");
  const description = account.webhook ? "Webhook was deleted" : "Webhook is already deleted";
  account.webhook = undefined;
  return new DescribedResult(true, description);
}

export function getWebhookInfo({ account }: Call): unknown {
  const { webhook, queue, allowedUpdates } = account;
  const allowed = allowedUpdates.names;
  return {
    url: webhook?.url ?? "",
    has_custom_certificate: false,
    pending_update_count: queue.pending,
    ...(webhook
      ? { max_connections: webhook.maxConnections, ip_address: webhook.ipAddress || "<unknown>" }
      : {}),
    ...(allowed ? { allowed_updates: allowed } : {}),
  };
}

const loginMemoryMs = 1_800_000;

/** Any later call starts the bot again. */
export function close({ account }: Call): true {
  if (account.closed) throw badRequest("the bot has already been closed");
  account.closed = true;
  account.polling.finish(succeedRaw("[]"));
  return true;
}

export function logOut({ account, around }: Call): true {
  const nowMs = around.clock.monotonicMs();
  const ageMs = nowMs - account.startedAtMs;
  account.queue.clear("dropped");
  account.webhook = undefined;
  account.loggedOutUntilMs = nowMs + (ageMs > loginMemoryMs ? 1_000 : loginMemoryMs - ageMs);
  return true;
}

/** Throws while the bot is logged out. */
export function checkLoggedIn(account: Account, nowMs: number): void {
  if (nowMs < account.loggedOutUntilMs) throw new ApiError(400, "Logged out");
}
