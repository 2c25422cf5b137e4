/** Keyboard: inline buttons under a message, in exactly the fields Telegram knows. */
import type { InlineKeyboardButton } from "telegraf/types";

/** What to add to a message; nothing when there are no buttons, which also takes old ones away. */
export interface Keyboard {
  readonly reply_markup?: { readonly inline_keyboard: InlineKeyboardButton[][] };
}

/** A button that comes back as a press with this data, of at most 64 bytes. */
export function button(text: string, data: string): InlineKeyboardButton {
  return { text, callback_data: data };
}

/** Rows of buttons; what is `false` is left out, and rows without buttons too. */
export function keyboard(
  ...rows: readonly (readonly (InlineKeyboardButton | false)[])[]
): Keyboard {
  const shown = rows
    .map((row) => row.filter((cell) => cell !== false))
    .filter((row) => row.length > 0);
  return shown.length > 0 ? { reply_markup: { inline_keyboard: shown } } : {};
}
