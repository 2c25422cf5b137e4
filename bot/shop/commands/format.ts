/** Format: writes money, dates and names for display in a person's language. */
import type { Currency, Language } from "../catalogue.ts";

/** Formats values in one language and currency. */
export interface Format {
  /** Formats an amount: "¥12.50". */
  money(amountMinor: number): string;
  /** Formats an amount with its sign: "+¥12.50". */
  change(amountMinor: number): string;
  /** Formats a date and time with "UTC", because Telegram does not tell people's time zones. */
  instant(epochMs: number): string;
  count(value: number): string;
  /** Formats an amount for programs: "12.50". */
  decimal(amountMinor: number): string;
}

const locales: Readonly<Record<Language, string>> = { zh: "zh-CN", en: "en-GB" };

/** Maximum length of a displayed name in characters. Source: Bot API, first names have up to 64. */
const nameLengthMax = 64;

/**
 * Creates the formats of every language, each when it is first used. Create them once, because Intl
 * objects are slow to make.
 */
export function createFormats(currency: Currency): Readonly<Record<Language, Format>> {
  const made: Partial<Record<Language, Format>> = {};
  const formatIn = (language: Language) => (made[language] ??= createFormat(language, currency));
  return {
    get zh() {
      return formatIn("zh");
    },
    get en() {
      return formatIn("en");
    },
  };
}

/** Makes a user's text of a few lines safe to show and send, like `displayName`. */
export function displayText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n]|\p{Bidi_Control}/gu, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/**
 * Makes a user's name safe to show: removes broken surrogates (which Telegram refuses), line breaks
 * and characters that change the direction of surrounding text, and limits the length.
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

/** Writes the amount as a decimal numeral, which Intl takes exactly; a division would round. */
function decimal(amountMinor: number, exponent: number): Intl.StringNumericLiteral {
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  const fraction = digits.slice(digits.length - exponent);
  const numeral = `${amountMinor < 0 ? "-" : ""}${whole}${fraction && `.${fraction}`}`;
  return numeral as Intl.StringNumericLiteral;
}
