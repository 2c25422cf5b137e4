/**
 * Visitor: the gate that every update passes first, and the person it comes from.
 *
 * Nothing in an update is trusted. The gate admits messages, button presses and Mini App requests of people and checks
 * every field that the router or a command reads. Everything else is reported as `update.ignored`
 * and ends there, without an exception and without an account.
 */
import assert from "node:assert/strict";
import type { MiddlewareFn } from "telegraf";
import { z } from "zod";
import type { Publish } from "../../core/events.ts";
import type { BotContext } from "../../kit/bot-context.ts";
import type { Language } from "../catalogue.ts";
import type { Profile } from "../tables.ts";
import { displayName } from "./format.ts";
import { languageOf, texts } from "./texts.ts";

/** The person whose update is handled. */
export interface Visitor {
  readonly userId: number;
  /** A name that is safe to show; "" when there is none. */
  readonly name: string;
  /** The person as Telegram describes them, with the same name. */
  readonly profile: Profile;
  readonly language: Language;
  /** Whether only this person can read the chat. */
  readonly inPrivateChat: boolean;
}

/** Optional fields of the wrong type count as missing; required ones make the update malformed. */
const sender = z.object({
  id: z.int().positive(),
  is_bot: z.boolean().catch(false),
  first_name: z.string().catch(""),
  username: z
    .string()
    .regex(/^\w{1,64}$/)
    .optional()
    .catch(undefined),
  language_code: z.string().optional().catch(undefined),
});

/** An IETF language tag, up to a length that no real tag exceeds. */
const languageTag = /^[\w-]{1,35}$/;

const place = z.object({
  message_id: z.int(),
  chat: z.object({ id: z.int(), type: z.enum(["private", "group", "supergroup"]) }),
  message_thread_id: z.int().optional(),
});

const message = z.object({ ...place.shape, from: sender, text: z.string().optional() });

const callbackQuery = z.object({
  // Telegram uses 64-bit numbers here; any id that can be sent back is accepted.
  id: z.string().regex(/^[\w-]{1,64}$/),
  from: sender,
  message: place,
  data: z.string(),
});

/** A person's act in the Mini App (kit/mini-app.ts). */
const miniAppRequest = z.object({ from: sender });

/** Creates the middleware that admits a visitor or reports why not. */
export function gate(publish: Publish): MiddlewareFn<BotContext> {
  const refuse = async (ctx: BotContext, reason: string) => {
    const update: Readonly<Record<string, unknown>> = { ...ctx.update };
    const waiting = callbackQuery.pick({ id: true }).safeParse(update["callback_query"]);
    if (waiting.success) {
      // The press is answered even if it is malformed, so that the button stops spinning.
      await ctx.telegram.answerCbQuery(waiting.data.id, texts("en").staleButton);
    }
    const updateId = z.int().safeParse(update["update_id"]).data;
    publish({ type: "update.ignored", updateId, reason });
  };
  return (ctx, next) => {
    const visitor = readVisitor({ ...ctx.update });
    if (typeof visitor === "string") return refuse(ctx, visitor);
    ctx.state["visitor"] = visitor;
    return next();
  };
}

/** Returns the visitor; may be called only behind the gate. */
export function visitorOf(ctx: BotContext): Visitor {
  const visitor: Visitor | undefined = ctx.state["visitor"];
  assert(visitor, "no visitor: the gate must come before every command");
  return visitor;
}

/** The visitor that asks from the Mini App, where only this person can read the answer. */
export function visitorInApp(from: unknown): Visitor {
  const person = sender.parse(from);
  const visitor = readSender(person, "private");
  assert(typeof visitor !== "string", "Telegram opens Mini Apps for people only");
  return visitor;
}

/** Returns the visitor, or the reason to ignore the update. */
function readVisitor(update: Readonly<Record<string, unknown>>): Visitor | string {
  const { update_id: updateId, ...content } = update;
  const [kind, ...others] = Object.keys(content);
  if (!Number.isSafeInteger(updateId) || kind === undefined || others.length > 0) {
    return "malformed: update";
  }
  if (kind === "message") {
    return readMessage(content[kind]);
  }
  if (kind === "callback_query") {
    const pressed = callbackQuery.safeParse(content[kind]).data;
    return pressed
      ? readSender(pressed.from, pressed.message.chat.type)
      : "malformed: callback_query";
  }
  if (kind === "mini_app_request") {
    const asked = miniAppRequest.safeParse(content[kind]).data;
    return asked ? readSender(asked.from, "private") : "malformed: mini_app_request";
  }
  return /^[a-z_]{1,40}$/.test(kind) ? `unsupported: ${kind}` : "unsupported";
}

function readMessage(raw: unknown): Visitor | string {
  const fields = typeof raw === "object" && raw !== null ? raw : {};
  // Posts of a linked channel and of anonymous administrators belong to no account.
  if ("sender_chat" in fields) {
    return "sent on behalf of a chat";
  }
  if (!("from" in fields)) {
    return "no sender";
  }
  const written = message.safeParse(raw).data;
  return written ? readSender(written.from, written.chat.type) : "malformed: message";
}

function readSender(from: z.infer<typeof sender>, chatType: string): Visitor | string {
  if (from.is_bot) {
    return "sent by a bot";
  }
  const name = displayName(from.first_name);
  return {
    userId: from.id,
    name,
    profile: {
      firstName: name,
      ...(from.username !== undefined && { username: from.username }),
      ...(languageTag.test(from.language_code ?? "") && { languageCode: from.language_code }),
    },
    language: languageOf(from.language_code),
    inPrivateChat: chatType === "private",
  };
}
