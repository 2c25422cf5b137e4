/** Keyboard: builds inline buttons with exactly the fields that Telegram knows. */
import type { InlineKeyboardButton } from "telegraf/types";

/**
 * Fields to add to a message; empty without buttons, which also removes a message's old buttons.
 */
export interface Keyboard {
  readonly reply_markup?: { readonly inline_keyboard: InlineKeyboardButton[][] };
}

/** Makes a button whose press carries `data`, at most 64 bytes. */
export function button(text: string, data: string): InlineKeyboardButton {
  return { text, callback_data: data };
}

/** Makes rows of buttons; leaves out `false` and rows without buttons. */
export function keyboard(
  ...rows: readonly (readonly (InlineKeyboardButton | false)[])[]
): Keyboard {
  const shown = rows
    .map((row) => row.filter((cell) => cell !== false))
    .filter((row) => row.length > 0);
  return shown.length > 0 ? { reply_markup: { inline_keyboard: shown } } : {};
}
