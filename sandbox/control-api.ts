/**
 * Control API: the operations a test, a bench or the chat page may call on a sandbox, and their types.
 *
 * Every operation takes one plain object and returns plain data, so that the same operation works
 * in the process (`sandbox.control.write(…)`) and over HTTP (`POST /sandbox/write`).
 * Telegram's own objects keep Telegram's snake_case; everything else is ours.
 */
import type { ChatKeyboard } from "./text/reply-markup.ts";
import type { InlineResult, InlineResultsButton } from "./world/inline-mode.ts";
import type { Chat, Message, User } from "./world/objects.ts";
import type { Invoice, OrderInfo, ShippingAnswer } from "./world/payments.ts";
import type { Reaction, ReactionCount } from "./world/reactions.ts";
import type { Topic } from "./world/topics.ts";

/** The answer to `GET /sandbox`, by which a program recognises a sandbox of ours. */
export interface SandboxDescription {
  readonly sandbox: "telegram-bot-api";
  readonly version: 1;
  readonly pid: number;
  /** Base address, without a slash at the end: a bot's `TELEGRAM_API_ROOT`. */
  readonly url: string;
  /** The first token it accepts. */
  readonly token: string;
  readonly botIds: readonly number[];
  readonly bots: readonly BotDescription[];
  /** The sandbox's clock: epoch and monotonic milliseconds, advances included. */
  readonly nowEpochMs: number;
  readonly nowMs: number;
  readonly pacing: boolean;
  readonly flood: FloodMode;
  /** Ed25519 in hexadecimal. It checks the `signature` of launch parameters signed by this sandbox. */
  readonly launchPublicKey: string;
}

/** A bot whose token is accepted. */
export interface BotDescription {
  readonly id: number;
  readonly username: string;
  readonly token: string;
  /** Whether it is in Telegram's test environment, and reached at `/bot<token>/test/METHOD` only. */
  readonly test: boolean;
}

/** A flood limit has no effect, answers 429 at once, or first waits silently for up to 8 s. */
export type FloodMode = "off" | "strict" | "absorb";

/** A person who can write to the bot. */
export interface NewUser {
  /** Default: the next free one. */
  readonly id?: number;
  readonly firstName: string;
  readonly username?: string;
  /** IETF tag, default `en`. */
  readonly languageCode?: string;
  /** Whether the user has already pressed Start, so that the bot may write first. Default false. */
  readonly started?: boolean;
  /** The bot whose chats the user is among. Default: every bot's. */
  readonly botId?: number;
}

export interface NewGroup {
  /** Positive; the chat id is made from it as Telegram does. Default: the next free one. */
  readonly id?: number;
  readonly title: string;
  /** Default `supergroup`. */
  readonly type?: "group" | "supergroup" | "channel";
  readonly username?: string;
  readonly memberIds?: readonly number[];
  /** Whether a supergroup has topics. Default false. */
  readonly forum?: boolean;
  /** Whether a supergroup is the direct messages of a channel, where posts are suggested. Default false. */
  readonly directMessages?: boolean;
  /** The bot's rights, such as `can_pin_messages`; none makes it a member. Default: all of them. */
  readonly botRights?: readonly string[];
  /** The bot that is in the group. Default: the first. */
  readonly botId?: number;
}

/** Where a user writes. The user and the private chat are created when they do not exist. */
export interface WritingPlace {
  readonly userId: number;
  /** Default: the private chat with the bot. */
  readonly chatId?: number;
  /** The business connection whose chat it is; `chatId` is then the customer. Default: the bot's own chat. */
  readonly connectionId?: string;
  /** The topic of a forum. */
  readonly threadId?: number;
  /** The message it answers. */
  readonly replyToMessageId?: number;
  /** Which bot receives it. Default: the first. */
  readonly botId?: number;
}

/** A message written by a user. */
export interface WriteRequest extends WritingPlace {
  readonly text: string;
}

/** What a person sends beside text. */
export type Attachment =
  | {
      readonly kind:
        | "photo"
        | "video"
        | "animation"
        | "audio"
        | "voice"
        | "video_note"
        | "document"
        | "sticker";
      /** The file in Base64. The sandbox does not look into it. */
      readonly content: string;
      readonly fileName?: string;
    }
  | { readonly kind: "location"; readonly latitude: number; readonly longitude: number }
  | {
      readonly kind: "contact";
      readonly phoneNumber: string;
      readonly firstName: string;
      /** The contact's id, when it is somebody with an account. */
      readonly userId?: number;
    }
  | { readonly kind: "dice"; readonly emoji?: string }
  | {
      readonly kind: "poll";
      readonly question: string;
      readonly options: readonly string[];
      /** The index of a quiz's right answer. Default: it is no quiz. */
      readonly correct?: number;
      /** Default true. */
      readonly anonymous?: boolean;
    }
  /** The answer to a button of the reply keyboard with `request_users`. */
  | { readonly kind: "users"; readonly requestId: number; readonly userIds: readonly number[] }
  /** The answer to a button of the reply keyboard with `request_chat`. */
  | { readonly kind: "chat"; readonly requestId: number; readonly sharedChatId: number };

export interface AttachRequest extends WritingPlace {
  readonly attachment: Attachment;
  readonly caption?: string;
}

/** One of a person's own messages. */
export interface OwnMessage {
  readonly userId: number;
  /** Default: the private chat with the bot. */
  readonly chatId?: number;
  /** The business connection whose chat it is; `chatId` is then the customer. Default: the bot's own chat. */
  readonly connectionId?: string;
  readonly messageId: number;
  readonly botId?: number;
}

export interface Written {
  /** Null when the bot did not subscribe to this kind of update. */
  readonly updateId: number | null;
  readonly message: Message;
}

/** A press of an inline button with data or a game, which is named by its data, its text or its row and column. */
export interface PressRequest {
  readonly userId: number;
  readonly chatId: number;
  /** The business connection whose chat it is; `chatId` is then the customer. Default: the bot's own chat. */
  readonly connectionId?: string;
  readonly messageId: number;
  readonly data?: string;
  readonly text?: string;
  readonly row?: number;
  readonly column?: number;
  readonly botId?: number;
}

export interface Pressed {
  readonly updateId: number | null;
  readonly callbackQueryId: string;
}

/** An invoice: in a message, or at a link. */
export interface InvoicePlace {
  readonly userId: number;
  /** Default: the private chat with the bot. */
  readonly chatId?: number;
  readonly messageId?: number;
  /** The result of `createInvoiceLink`. */
  readonly link?: string;
  readonly botId?: number;
}

/** A press of "Pay". */
export interface PayRequest extends InvoicePlace {
  /** What the invoice asks for, in Telegram's `OrderInfo`. Default: made up. */
  readonly orderInfo?: OrderInfo;
  /** The result of `ship`, for an invoice whose price depends on the way of shipping. */
  readonly shippingQueryId?: string;
  /** One of the ways that the bot offered. */
  readonly shippingOptionId?: string;
  /** The `telegram_payment_charge_id`, for a test that wants to know it before. Default: a random one. */
  readonly chargeId?: string;
}

export interface Paying {
  readonly updateId: number | null;
  /** The bot must answer it within 10 s of the sandbox's clock. */
  readonly preCheckoutQueryId: string;
}

/** What a person, or the bot when no user is named, becomes in a group. */
export interface MemberRequest {
  readonly chatId: number;
  readonly userId?: number;
  readonly status: "creator" | "administrator" | "member" | "restricted" | "left" | "kicked";
  /** An administrator's rights, or a restricted member's permissions. Default: all of them. */
  readonly rights?: readonly string[];
  readonly botId?: number;
}

/** An account connects the bot to its chats. */
export interface BusinessRequest {
  readonly userId: number;
  /** Default: a random one. */
  readonly connectionId?: string;
  /** Default: every one of Telegram's `BusinessBotRights`. */
  readonly rights?: readonly string[];
  /** False: the connection is switched off. Default true. */
  readonly enabled?: boolean;
  /** Stars that the account has. Default 0. */
  readonly stars?: number;
  readonly botId?: number;
}

/** The update that an action made; null when the bot did not subscribe to its kind. */
export interface Acted {
  readonly updateId: number | null;
}

export interface InjectRequest {
  /** The update without `update_id`, which the queue assigns; any other JSON with `verbatim`. */
  readonly update: unknown;
  /** True: exactly these bytes are delivered, without an `update_id` from the queue. */
  readonly verbatim?: boolean;
  readonly botId?: number;
}

/** Many messages at once: `messages`, or `count` texts spread over users in turn. */
export interface FeedRequest {
  readonly messages?: readonly WriteRequest[];
  readonly count?: number;
  /** Users in turn, default 1. */
  readonly users?: number;
  /** Id of the first of these users, default 1,000,001. */
  readonly firstUserId?: number;
  /** `{n}` becomes the message's number, from 1. Default `message {n}`. */
  readonly text?: string;
  readonly botId?: number;
}

export interface Fed {
  readonly count: number;
  readonly firstUpdateId: number | null;
  readonly lastUpdateId: number | null;
}

/** One request to the Bot API. Instants are the sandbox's monotonic clock (see README). */
export interface JournalEntry {
  readonly sequence: number;
  readonly botId: number;
  /** The name as the client spelt it. */
  readonly method: string;
  /** Long values are cut. A file is `[file NAME, N bytes]`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly arrivedAtMs: number;
  readonly arrivedAtEpochMs: number;
  /** Null until the request is answered, and for good when the client left first. */
  readonly answeredAtMs: number | null;
  readonly status: number | null;
  /** The error's description, as sent. */
  readonly description: string | null;
  /** Whether the call took effect; an error answer does not rule that out. */
  readonly executed: boolean;
  readonly executedAtMs: number | null;
  readonly chatId: number | null;
  /** The message that the call made or changed; for an album, the first one. */
  readonly messageId: number | null;
  /** Messages it counts as under flood control: the items of an album; 0 for a call that only reads. */
  readonly cost: number;
  /** Whether the whole answer was handed to the operating system. */
  readonly answerWritten: boolean;
  /** Milliseconds from the answer until the client closed the connection; absent while it lives. */
  readonly clientGoneAfterMs?: number;
  /** The kind of the fault that was played, if any. */
  readonly fault?: string;
}

export interface JournalQuery {
  /** Only entries after this sequence number. Default 0. */
  readonly after?: number;
  readonly method?: string;
  readonly chatId?: number;
  readonly botId?: number;
  /** Default 1,000. */
  readonly limit?: number;
}

/** The history of one update, seen from the user's side. */
export interface UpdateFact {
  /** Number of this fact, from 1. */
  readonly sequence: number;
  readonly botId: number;
  readonly updateId: number;
  /** `message`, `callback_query`, … */
  readonly kind: string;
  readonly chatId: number | null;
  readonly createdAtMs: number;
  /** One entry for each time the update was put into an answer. */
  readonly deliveries: readonly UpdateDelivery[];
  readonly end: "confirmed" | "expired" | "dropped" | null;
  readonly endedAtMs: number | null;
}

export interface UpdateDelivery {
  readonly atMs: number;
  /** The journal entry of the poll; null when it went to the webhook. */
  readonly journalSequence: number | null;
  /** False: the client had left, so the answer reached no one. */
  readonly clientConnected: boolean;
}

export interface FactQuery {
  readonly after?: number;
  readonly updateId?: number;
  readonly botId?: number;
  readonly limit?: number;
}

/** The limits that the violations report checks. */
export interface ViolationLimits {
  /** Messages in one chat within 1 s. Default 1. */
  readonly chatPerSecond?: number;
  /** Messages in one group within 60 s. Default 20. */
  readonly groupPerMinute?: number;
  /** Messages over all chats within 1 s. Default 30. */
  readonly botPerSecond?: number;
  /** Only these rules. Default: all. */
  readonly rules?: readonly ViolationRule[];
  /** Only journal entries after this sequence number. */
  readonly after?: number;
  readonly botId?: number;
}

export type ViolationRule =
  | "chat-per-second"
  | "group-per-minute"
  | "bot-per-second"
  | "send-after-block"
  | "duplicate"
  | "possible-duplicate"
  | "order-broken";

export interface Violation {
  readonly rule: ViolationRule;
  readonly chatId: number | null;
  /** The journal entry that went over the limit. */
  readonly sequence: number;
  readonly atMs: number;
  /**
   * Messages within the window that ends there. For `send-after-block` it counts the sends since the
   * block, for duplicates the repetitions.
   */
  readonly messages: number;
  readonly limit: number;
}

/** One way in which a request goes wrong. `execute` says whether the call still takes effect. */
export type Fault =
  /** The answer is delayed. With `after` the call takes effect before the delay. */
  | { readonly kind: "latency"; readonly ms: number; readonly when?: "before" | "after" }
  /** The sandbox never answers. Default: not executed. */
  | {
      readonly kind: "hang";
      readonly at?: "before-headers" | "after-headers";
      readonly execute?: boolean;
    }
  /** The connection is closed without an answer; with `execute` the answer is lost. Default false. */
  | { readonly kind: "close"; readonly execute?: boolean }
  /** Half of the body is sent, then the connection is closed. Default: executed. */
  | {
      readonly kind: "cut";
      readonly framing: "content-length" | "chunked";
      readonly execute?: boolean;
    }
  /** The answer is an HTML page, as a proxy sends it. Default: not executed. */
  | { readonly kind: "html"; readonly status: number; readonly execute?: boolean }
  /** The answer is a Bot API error. 429 takes `retryAfterS`. Default: not executed. */
  | {
      readonly kind: "error";
      readonly status: number;
      readonly description?: string;
      readonly retryAfterS?: number;
      readonly migrateToChatId?: number;
      readonly execute?: boolean;
    }
  /** A second poller seems to exist: 409 `terminated by other getUpdates request` after `afterMs`. */
  | { readonly kind: "conflict"; readonly afterMs?: number };

export interface NewFaultRule {
  /** A method's name in any case, `*` for every method, or `webhook` for deliveries. */
  readonly match: string;
  readonly chatId?: number;
  readonly botId?: number;
  /** How often it strikes. Default: until it is removed. */
  readonly count?: number;
  /** Matching requests to let pass first. Default 0. */
  readonly skip?: number;
  /** Probability from 0 to 1, drawn from the seeded random. Default 1. */
  readonly probability?: number;
  readonly fault: Fault;
}

export interface FaultRule extends NewFaultRule {
  readonly id: number;
  /** How often it has struck. */
  readonly struck: number;
}

/** One step: a fault, or an operation of this control API. */
export interface ScenarioStep {
  /** Milliseconds after the beginning. */
  readonly atMs: number;
  readonly fault?: Fault;
  /** The requests that the fault matches. Default `*`. */
  readonly match?: string;
  readonly chatId?: number;
  readonly count?: number;
  readonly probability?: number;
  /** Milliseconds after which the fault ends. Default: it ends with the scenario. */
  readonly forMs?: number;
  /** A name of `SandboxControl`. */
  readonly operation?: string;
  readonly request?: object;
}

/** Timed faults and events; the content of a scenario file. */
export interface Scenario {
  readonly name?: string;
  /** Seeds every random choice from now on. */
  readonly seed?: number;
  readonly steps: readonly ScenarioStep[];
}

export interface ScenarioState {
  readonly playing: boolean;
  readonly name: string;
  readonly steps: number;
  readonly done: number;
  /** Operations that were refused, one sentence each. */
  readonly failures: readonly string[];
}

/** The bot's rights in a chat. */
export type Access =
  | "open"
  | "not-started"
  | "blocked"
  | "deactivated"
  | "kicked"
  | "not-member"
  | "deleted"
  | "muted";

export interface QueueState {
  readonly botId: number;
  readonly pending: number;
  readonly nextUpdateId: number;
  readonly oldestUpdateId: number | null;
  /** Whether a long poll is waiting now. */
  readonly waiting: boolean;
  readonly webhookUrl: string;
  readonly allowedUpdates: readonly string[] | null;
}

/** One change that a messenger shows. */
export interface Change {
  readonly sequence: number;
  readonly botId: number;
  readonly kind:
    | "message"
    | "edited"
    | "deleted"
    | "callback-answer"
    | "action"
    | "chat"
    | "reaction"
    | "draft";
  readonly chatId: number;
  /** Set in a business account's chat with a customer. */
  readonly connectionId?: string;
  readonly message?: Message;
  readonly messageId?: number;
  readonly userId?: number;
  readonly text?: string;
  readonly showAlert?: boolean;
  readonly url?: string;
  /** What stands under the message now. */
  readonly reactions?: readonly ReactionCount[];
}

/** A chat in the list: Telegram's object, and the bot's rights in it. */
export interface ChatSummary {
  readonly chat: Chat;
  /** Set when it is a business account's chat with a customer. */
  readonly business?: {
    readonly connectionId: string;
    readonly ownerId: number;
    /** The latest message that the bot has marked as read; 0 when there is none. */
    readonly readMessageId: number;
  };
  readonly access: Access;
  readonly memberIds: readonly number[];
  readonly messages: number;
  readonly lastMessage: Message | null;
  /** The keyboard below the input field. */
  readonly keyboard: ChatKeyboard | null;
  readonly pinned: Message | null;
  /** Of a forum; the general one is first. */
  readonly topics: readonly Topic[];
  /** What the bot is writing just now. */
  readonly draft: string | null;
  /** The bot has verified this chat, with these words; null when it has not. */
  readonly verification: string | null;
}

/** What a bot says about itself to a person. */
export interface BotProfile {
  readonly name: string;
  readonly username: string;
  /** Shown in a chat without messages. */
  readonly description: string;
  readonly shortDescription: string;
  /** The latest profile photo's `file_id`. */
  readonly photo: string | null;
  /** The commands that apply in the person's own chat with the bot. */
  readonly commands: readonly { readonly command: string; readonly description: string }[];
  /** Telegram's `MenuButton`. */
  readonly menuButton: Readonly<Record<string, unknown>>;
}

/** The operations, as the process itself calls them. */
export interface SandboxControl {
  describe(request?: object): SandboxDescription;
  createUser(request: NewUser): User;
  createGroup(request: NewGroup): Chat;
  users(request?: object): readonly User[];
  chats(request?: { readonly botId?: number }): readonly ChatSummary[];
  /** A chat's messages in order of id. */
  messages(request: {
    readonly chatId: number;
    readonly connectionId?: string;
    /** Only messages with a higher id. */
    readonly after?: number;
    /** Only the latest messages, at most this many. Default 1,000. */
    readonly limit?: number;
    readonly botId?: number;
  }): readonly Message[];
  write(request: WriteRequest): Written;
  attach(request: AttachRequest): Written;
  /** Replaces the text, or the caption, of a message. */
  edit(request: OwnMessage & { readonly text: string }): Written;
  /** Deletes a message, in a private chat also one of the bot's. The bot is not told. */
  erase(request: OwnMessage): Acted;
  /** Suggests a post in a channel's direct messages, for Stars if any are named. */
  suggestPost(request: {
    readonly userId: number;
    readonly chatId: number;
    readonly text: string;
    readonly stars?: number;
    readonly botId?: number;
  }): Written;
  /** Publishes a sticker set that is not the bot's own: one sticker for each emoji. */
  createStickerSet(request: {
    readonly name: string;
    readonly title: string;
    readonly emojis: readonly string[];
    readonly botId?: number;
  }): { readonly name: string; readonly stickers: number };
  press(request: PressRequest): Pressed;
  /** What a buyer sees of an invoice before they pay. */
  invoice(request: InvoicePlace): Omit<Invoice, "payload">;
  /** Tells the address, and asks the bot for ways of shipping. */
  ship(
    request: InvoicePlace & {
      /** Telegram's `ShippingAddress`. Default: made up. */
      readonly address?: object;
    },
  ): Acted & { readonly shippingQueryId: string };
  /** The bot's answer to `ship`; null before it has answered. */
  shippingOptions(request: {
    readonly shippingQueryId: string;
    readonly botId?: number;
  }): ShippingAnswer | null;
  pay(request: PayRequest): Paying;
  /** Replaces a person's reactions under a message; an empty list takes them away. */
  react(request: {
    readonly userId: number;
    readonly chatId: number;
    readonly connectionId?: string;
    readonly messageId: number;
    /** Emoji, or Telegram's `ReactionType` objects. */
    readonly reactions: readonly (string | Reaction)[];
    readonly botId?: number;
  }): Acted;
  /** What stands under the messages of a chat. */
  reactions(request: {
    readonly chatId: number;
    readonly connectionId?: string;
    readonly botId?: number;
  }): readonly {
    readonly messageId: number;
    readonly reactions: readonly ReactionCount[];
  }[];
  /** Votes in a poll of the bot; no options take the vote back. */
  vote(request: {
    readonly userId: number;
    readonly chatId: number;
    readonly connectionId?: string;
    readonly messageId: number;
    /** From 0. */
    readonly optionIds: readonly number[];
    readonly botId?: number;
  }): Acted;
  /** Marks tasks of a checklist as done or not, which its author may do, and others if it says so. */
  markTasks(
    request: OwnMessage & {
      readonly done?: readonly number[];
      readonly undone?: readonly number[];
    },
  ): Acted;
  /** Adds tasks to a checklist, which its author may do, and others if it says so. */
  addTasks(request: OwnMessage & { readonly texts: readonly string[] }): Acted;
  /** What a person sees who opens an invite link. */
  invitation(request: { readonly link: string; readonly botId?: number }): {
    readonly chat: Chat;
    readonly members: number;
    /** Whether an administrator has to let the person in. */
    readonly asksToJoin: boolean;
  };
  /** Joins a group, at once or by asking when the link wants that. */
  join(request: {
    readonly userId: number;
    /** Default: the chat of the link. */
    readonly chatId?: number;
    readonly link?: string;
    readonly botId?: number;
  }): Acted & { readonly waiting: boolean };
  setMember(request: MemberRequest): Acted;
  /** Puts a channel on a person's profile; without one it takes it away. */
  setPersonalChat(request: {
    readonly userId: number;
    readonly chatId?: number;
    readonly botId?: number;
  }): Acted;
  /** Adds the bot to a group, which it was not told of before. */
  addBot(request: {
    readonly userId: number;
    readonly chatId: number;
    readonly botId?: number;
  }): Acted;
  /** Types into the field of inline mode. */
  askInline(request: {
    readonly userId: number;
    readonly query: string;
    readonly offset?: string;
    readonly botId?: number;
  }): Acted & { readonly inlineQueryId: string };
  /** The bot's answer to an inline query; null before it has answered. */
  inlineResults(request: {
    readonly inlineQueryId: string;
    readonly botId?: number;
  }): readonly InlineResult[] | null;
  /** The button that the bot put above its results; null when there is none. */
  inlineButton(request: {
    readonly inlineQueryId: string;
    readonly botId?: number;
  }): InlineResultsButton | null;
  /** Sends one of the results into a chat, by default the person's own with the bot. */
  chooseResult(request: {
    readonly userId: number;
    readonly inlineQueryId: string;
    readonly resultId: string;
    readonly chatId?: number;
    readonly botId?: number;
  }): Acted & { readonly inlineMessageId: string };
  connectBusiness(request: BusinessRequest): Acted & { readonly connectionId: string };
  /** A customer writes to a business account that has connected the bot. */
  writeBusiness(request: {
    readonly connectionId: string;
    readonly userId: number;
    readonly text: string;
    readonly botId?: number;
  }): Written;
  boost(request: {
    readonly userId: number;
    readonly chatId: number;
    readonly botId?: number;
  }): Acted & { readonly boostId: string };
  /** Gives the bot Stars to spend. */
  giveStars(request: { readonly amount: number; readonly botId?: number }): {
    readonly balance: number;
  };
  /** Pays for the media of a message. */
  buyMedia(request: {
    readonly userId: number;
    readonly chatId: number;
    readonly messageId: number;
    readonly botId?: number;
  }): Acted;
  /** Makes a person's bot one that this bot manages. */
  manageBot(request: {
    readonly userId: number;
    readonly managedBotId: number;
    readonly botId?: number;
  }): Acted;
  inject(request: InjectRequest): { readonly updateId: number | null };
  feed(request: FeedRequest): Fed;
  journal(request?: JournalQuery): readonly JournalEntry[];
  facts(request?: FactQuery): readonly UpdateFact[];
  violations(request?: ViolationLimits): readonly Violation[];
  faults(request?: object): readonly FaultRule[];
  addFault(request: NewFaultRule): { readonly id: number };
  removeFault(request: { readonly id: number }): { readonly removed: boolean };
  clearFaults(request?: object): { readonly removed: number };
  /** Starts a scenario, and ends the one that is playing. */
  playScenario(request: Scenario): ScenarioState;
  stopScenario(request?: object): ScenarioState;
  scenario(request?: object): ScenarioState;
  /** The scenarios that ship with the sandbox. */
  scenarios(request?: object): readonly Scenario[];
  /** Makes a user block the bot, a group kick it, and so on, and sends the bot `my_chat_member`. */
  setAccess(request: {
    readonly chatId: number;
    readonly access: Access;
    readonly botId?: number;
    /** True: the bot is not told. */
    readonly silent?: boolean;
  }): { readonly updateId: number | null };
  /** Upgrades a basic group to a supergroup. */
  migrate(request: { readonly chatId: number; readonly botId?: number }): {
    readonly migrateToChatId: number;
  };
  /** Moves the sandbox's clock forward. Timers on the way run in order. */
  advanceClock(request: { readonly ms: number }): { readonly nowEpochMs: number };
  queue(request?: { readonly botId?: number }): QueueState;
  /** Sets the id of the next update. It may be lower only when no update is pending. */
  jumpUpdateId(request: {
    readonly to: number;
    readonly dropPending?: boolean;
    readonly botId?: number;
  }): QueueState;
  /** Puts an update into the next answer again, although it was confirmed. */
  redeliver(request: { readonly updateId: number; readonly botId?: number }): {
    readonly found: boolean;
  };
  /** Makes every open callback, inline and pre-checkout query too old to be answered. */
  expireQueries(request?: { readonly botId?: number }): { readonly expired: number };
  revokeToken(request: { readonly token?: string; readonly revoked?: boolean }): {
    readonly revoked: boolean;
  };
  /** Closes the listener and every connection for `ms`, then opens it on the same port. */
  outage(request: { readonly ms: number }): Promise<{ readonly ms: number }>;
  /** Changes after a sequence number; waits up to `waitMs` for a new one. */
  changes(request?: {
    readonly after?: number;
    readonly waitMs?: number;
  }): Promise<readonly Change[]>;
  /** The address a web_app button opens for a user, with signed launch parameters in its fragment. */
  webApp(request: {
    readonly userId: number;
    readonly url: string;
    /** The colours of the person's client. Default `light`. */
    readonly theme?: "light" | "dark";
    readonly botId?: number;
  }): {
    readonly url: string;
  };
  /** The address a login button opens for a user, with signed fields in its query. */
  login(request: { readonly userId: number; readonly url: string; readonly botId?: number }): {
    readonly url: string;
  };
  /** What a person sees of the bot itself, in their language. */
  botProfile(request: { readonly userId: number; readonly botId?: number }): BotProfile;
}

/** The same operations over HTTP. */
export type RemoteControl = {
  readonly [Name in keyof SandboxControl]: (
    ...request: Parameters<SandboxControl[Name]>
  ) => Promise<Awaited<ReturnType<SandboxControl[Name]>>>;
};
