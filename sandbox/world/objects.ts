/** Objects: Telegram's objects, as far as the sandbox makes them. Keys are in Telegram's order. */

export interface User {
  readonly id: number;
  readonly is_bot: boolean;
  readonly first_name: string;
  readonly last_name?: string;
  readonly username?: string;
  readonly language_code?: string;
  readonly is_premium?: boolean;
}

export interface Chat {
  readonly id: number;
  readonly title?: string;
  readonly first_name?: string;
  readonly last_name?: string;
  readonly username?: string;
  readonly type: "private" | "group" | "supergroup" | "channel";
  readonly is_forum?: true;
  /** The direct messages of a channel. */
  readonly is_direct_messages?: true;
}

/** Offsets and lengths in UTF-16 code units. */
export interface Entity {
  readonly offset: number;
  readonly length: number;
  readonly type: string;
  readonly url?: string;
  readonly language?: string;
  readonly user?: User;
  readonly custom_emoji_id?: string;
}

/** A text and its entities. */
export interface FormattedText {
  readonly text: string;
  readonly entities: readonly Entity[];
}

export interface InlineButton {
  readonly text: string;
  readonly callback_data?: string;
  readonly url?: string;
  readonly web_app?: { readonly url: string };
  readonly [other: string]: unknown;
}

export interface InlineKeyboard {
  readonly inline_keyboard: readonly (readonly InlineButton[])[];
}

export interface Message {
  readonly message_id: number;
  readonly from?: User;
  readonly sender_chat?: Chat;
  readonly chat: Chat;
  /** Unix seconds. */
  readonly date: number;
  readonly edit_date?: number;
  readonly reply_to_message?: Message;
  readonly message_thread_id?: number;
  readonly media_group_id?: string;
  readonly text?: string;
  readonly entities?: readonly Entity[];
  readonly caption?: string;
  readonly caption_entities?: readonly Entity[];
  /** Telegram echoes inline keyboards only. */
  readonly reply_markup?: InlineKeyboard;
  readonly [other: string]: unknown;
}
