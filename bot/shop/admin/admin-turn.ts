/**
 * Admin turn: what the parts of /admin share: the texts, the question to an administrator, the audit line
 * and the message to another person.
 */
import type { Catalogue } from "../catalogue.ts";
import { createFormats, type Format } from "../commands/format.ts";
import { button, type Keyboard, keyboard } from "../commands/keyboard.ts";
import type { Card } from "../commands/order-card.ts";
import type { CommandOptions, Turn } from "../commands/routes.ts";
import { languageOf, type Texts, texts } from "../commands/texts.ts";
import { type Asked, ask } from "../people/asking.ts";
import type { ActKind } from "./acts.ts";
import { type AdminTexts, adminTexts } from "./admin-texts.ts";
import type { Told } from "./desk.ts";

/** The texts of an administrator. */
export function textsOf({ visitor }: Turn): AdminTexts {
  return adminTexts(visitor.language);
}

export const menuVerb = "adm";

/** The button that leads back to the menu. */
export function menuButton(turn: Turn) {
  return button(textsOf(turn).menuButton, menuVerb);
}

/** Asks an administrator something that their next text answers. */
export async function askAdmin(turn: Turn, asked: Asked, question: string): Promise<undefined> {
  const { ctx, visitor } = turn;
  await ctx.transaction((tx) => ask(tx, visitor.userId, asked), `ask ${asked.what}`);
  await ctx.reply(question, neverMind(turn));
  return undefined;
}

function neverMind(turn: Turn): Keyboard {
  return keyboard([button(textsOf(turn).neverMind, "adm-drop")]);
}

/** Reports an act to log and metrics, without anybody's words. */
export function audit(
  { publish }: CommandOptions,
  { visitor }: Turn,
  act: ActKind,
  facts: Readonly<Record<string, number | string | boolean>> = {},
): void {
  const { userId } = visitor;
  publish({ type: "security.recorded", name: "admin_act", userId, facts: { act, ...facts } });
}

export interface Wording {
  readonly texts: Texts;
  readonly admin: AdminTexts;
  readonly format: Format;
  readonly language: "zh" | "en";
}

/** The words for another person, in their own language. */
export function wordingFor(
  { catalogue, formats = createFormats(catalogue.currency) }: CommandOptions,
  languageTag: string | null | undefined,
): Wording {
  const language = languageOf(languageTag ?? undefined);
  return {
    texts: texts(language),
    admin: adminTexts(language),
    format: formats[language],
    language,
  };
}

/** Tells another person something, through the queue, with the commit that makes this update done. */
export async function tell(
  { ctx }: Turn,
  options: CommandOptions,
  { languageTag, userId }: Told,
  say: (wording: Wording) => string,
): Promise<void> {
  await ctx.telegram.sendMessage(userId, say(wordingFor(options, languageTag)), {
    link_preview_options: { is_disabled: true },
  });
}

/** Edits the message whose button was pressed. */
export async function show(turn: Turn, [text, buttons]: Card): Promise<undefined> {
  await turn.ctx.editMessageText(text, {
    ...buttons,
    link_preview_options: { is_disabled: true },
  });
  return undefined;
}

/** Sends a card as a new message. */
export async function reply(turn: Turn, [text, buttons]: Card): Promise<void> {
  await turn.ctx.reply(text, { ...buttons, link_preview_options: { is_disabled: true } });
}

/** Reads an amount of the shop's currency, such as 12.50; `undefined` unless it is more than 0. */
export function parseAmount({ currency }: Catalogue, text: string): number | undefined {
  const [, whole, fraction = ""] = /^(\d{1,9})(?:[.,](\d{1,4}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined || fraction.length > currency.exponent) return undefined;
  const minor = Number(whole + fraction.padEnd(currency.exponent, "0"));
  return minor > 0 ? minor : undefined;
}
