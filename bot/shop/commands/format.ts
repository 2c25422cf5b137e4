/** Format: money, dates and names as people read them, in their language. */
import type { Currency, Language } from "../catalogue.ts";

/** Writes for one language and currency. */
export interface Format {
  /** "¥12.50" */
  money(amountMinor: number): string;
  /** With its sign: "+¥12.50". */
  change(amountMinor: number): string;
  /** A date and time in UTC, which it says: people are in many zones and Telegram names none. */
  instant(epochMs: number): string;
  count(value: number): string;
  /** For programs: "12.50". */
  decimal(amountMinor: number): string;
}

const locales: Readonly<Record<Language, string>> = { zh: "zh-CN", en: "en-GB" };

/** Longest displayed name, in characters. Source: Bot API, a first name has up to 64. */
const nameLengthMax = 64;

/** Formats for every language. Made once: constructing Intl objects is slow. */
export function createFormats(currency: Currency): Readonly<Record<Language, Format>> {
  return { zh: createFormat("zh", currency), en: createFormat("en", currency) };
}

/** A user-made text of a few lines that is safe to show and to send; like `displayName`. */
export function displayText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n]|\p{Bidi_Control}/gu, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/**
 * A user-made name that is safe to show: no broken surrogates, which Telegram refuses, no line
 * breaks, no characters that turn the direction of the text around it, and not endless.
 *
 * @returns "" when nothing readable is left.
 */
export function displayName(name: string): string {
  const start = [...name.slice(0, 8 * nameLengthMax)].slice(0, nameLengthMax).join("");
  return start
    .toWellFormed()
    .replace(/[\p{Cc}\p{Bidi_Control}\s]+/gu, " ")
    .trim();
}

function createFormat(language: Language, { code, exponent }: Currency): Format {
  const locale = locales[language];
  const style = {
    style: "currency",
    currency: code,
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  } as const;
  const money = new Intl.NumberFormat(locale, style);
  const change = new Intl.NumberFormat(locale, { ...style, signDisplay: "exceptZero" });
  const count = new Intl.NumberFormat(locale);
  const instant = new Intl.DateTimeFormat(locale, {
    dateStyle: "medium",
    timeStyle: "short",
    timeZone: "UTC",
  });
  return {
    money: (amountMinor) => money.format(decimal(amountMinor, exponent)),
    change: (amountMinor) => change.format(decimal(amountMinor, exponent)),
    instant: (epochMs) => `${instant.format(epochMs)} UTC`,
    count: (value) => count.format(value),
    decimal: (amountMinor) => decimal(amountMinor, exponent),
  };
}

/** The amount as a decimal numeral; Intl takes it exactly, a division would round. */
function decimal(amountMinor: number, exponent: number): Intl.StringNumericLiteral {
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  const fraction = digits.slice(digits.length - exponent);
  const numeral = `${amountMinor < 0 ? "-" : ""}${whole}${fraction && `.${fraction}`}`;
  return numeral as Intl.StringNumericLiteral;
}
