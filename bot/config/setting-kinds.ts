/**
 * Setting kinds: what a row of the settings table is, and the kinds of values it can have.
 *
 * A kind knows how a value is written in the environment, which values it takes and how to say so;
 * defaults are written the same way, so that only the kind decides what a text means.
 */
import { isIP } from "node:net";
import { Secret } from "../core/secret.ts";

/** The values of NODE_ENV. */
export type Profile = "development" | "production" | "test";

export const profiles: readonly Profile[] = ["development", "production", "test"];

/** A kind of value. */
export interface Kind<T> {
  /** Completes "expected …". */
  readonly expected: string;
  /** The range as tables show it: "1 to 100 ms", "true or false". */
  readonly range: string;
  /** Whether the text must never be shown. */
  readonly secret?: boolean;
  /** The mend of a wrong value, when the expectation does not say it. */
  readonly hint?: string;
  /** @returns `undefined` when the text is none of this kind. */
  read(text: string): { readonly value: T } | undefined;
}

type Written = string | number | boolean;

interface Row {
  readonly variable: string;
  /** Another name for the same variable. */
  readonly alias?: string;
  /** One sentence about the use of the setting. */
  readonly sentence: string;
}

/** One setting; `T` is what the configuration holds. */
export interface Setting<T> extends Row {
  readonly kind: Kind<T>;
  /** As it would be written in the environment; absent when the setting may be left out. */
  readonly defaults: Readonly<Record<Profile, string>> | undefined;
  /** The effect of leaving it out, when there is no default. */
  readonly absent?: string;
}

/** A setting that always has a value. `default` is one value for all profiles, or one for each. */
export function setting<T>(
  kind: Kind<T>,
  row: Row & { readonly default: Written | Readonly<Record<Profile, Written>> },
): Setting<T> {
  const { default: written, ...rest } = row;
  const of = (profile: Profile) => String(typeof written === "object" ? written[profile] : written);
  const defaults = {
    development: of("development"),
    production: of("production"),
    test: of("test"),
  };
  return { ...rest, kind, defaults };
}

/** A setting that may be left out. `absent` says what happens then. */
export function optional<T>(
  kind: Kind<T>,
  row: Row & { readonly absent: string },
): Setting<T | undefined> {
  return { ...row, kind, defaults: undefined };
}

// ---- kinds --------------------------------------------------------------------------------------

/** A whole number. `unit` is for the reader. */
export function integer(minimum: number, maximum: number, unit = ""): Kind<number> {
  const range = `${minimum} to ${maximum}${unit && ` ${unit}`}`;
  return {
    expected: `a whole number from ${range}`,
    range,
    read: (text) => {
      const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
      return value >= minimum && value <= maximum ? { value } : undefined;
    },
  };
}

const unitMs = { ms: 1, seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 };

/** A span of time; the configuration holds milliseconds. */
export function duration(
  minimum: number,
  maximum: number,
  unit: keyof typeof unitMs,
): Kind<number> {
  const written = integer(minimum, maximum, unit);
  return {
    ...written,
    read: (text) => {
      const read = written.read(text);
      return read && { value: read.value * unitMs[unit] };
    },
  };
}

/** A span of time in decimals, such as 0.5; the configuration holds whole milliseconds. */
export function decimalDuration(
  minimum: number,
  maximum: number,
  unit: keyof typeof unitMs,
): Kind<number> {
  const range = `${minimum} to ${maximum} ${unit}`;
  return {
    expected: `a number from ${range} with at most three decimals`,
    range,
    read: (text) => {
      const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= minimum && value <= maximum)) return undefined;
      return { value: Math.round(value * unitMs[unit]) };
    },
  };
}

/** Values of one kind, separated by commas; an empty text is an empty list. */
export function list<T>(kind: Kind<T>): Kind<readonly T[]> {
  const each = `${kind.expected}, with commas between them`;
  return {
    expected: each,
    range: `${kind.range}, with commas between`,
    ...(kind.secret && { secret: true }),
    ...(kind.hint !== undefined && { hint: kind.hint }),
    read: (text) => {
      const texts = text.split(",").map((part) => part.trim());
      const read = texts.filter(Boolean).map((part) => kind.read(part));
      const values = read.flatMap((one) => (one ? [one.value] : []));
      return values.length === read.length ? { value: values } : undefined;
    },
  };
}

/** A size of memory; the configuration holds bytes. */
export function megabytes(minimum: number, maximum: number): Kind<number> {
  const written = integer(minimum, maximum, "MB");
  return {
    ...written,
    read: (text) => {
      const read = written.read(text);
      return read && { value: read.value * 2 ** 20 };
    },
  };
}

/** An amount of money with at most two decimals; the configuration holds minor units. */
export function amount(minimum: number, maximum: number): Kind<number> {
  return {
    expected: `an amount from ${minimum} to ${maximum} with at most two decimals`,
    range: `${minimum} to ${maximum}`,
    read: (text) => {
      const [, major, decimals = ""] = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(text) ?? [];
      if (major === undefined) return undefined;
      const value = Number(major) * 100 + Number(decimals.padEnd(2, "0"));
      return value >= minimum * 100 && value <= maximum * 100 ? { value } : undefined;
    },
  };
}

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[]): Kind<T> {
  const range = words.join(", ");
  return {
    expected: `one of ${range}`,
    range,
    read: (text) => {
      const value = words.find((word) => word === text);
      return value && { value };
    },
  };
}

/** True or false. */
export function flag(): Kind<boolean> {
  const values = new Map([
    ["true", true],
    ["1", true],
    ["false", false],
    ["0", false],
  ]);
  return {
    expected: "true or false",
    range: "true or false",
    read: (text) => {
      const value = values.get(text.toLowerCase());
      return value === undefined ? undefined : { value };
    },
  };
}

/** A text on one line. */
export function text(lengthMax: number): Kind<string> {
  const range = `at most ${lengthMax} characters`;
  return {
    expected: `a text of ${range} on one line`,
    range,
    read: (written) =>
      written.length <= lengthMax && !/\p{Cc}/u.test(written) ? { value: written } : undefined,
  };
}

/** A file or directory. It is not checked here whether it exists. */
export function path(): Kind<string> {
  return {
    expected: "a path",
    range: "a path",
    read: (text) => (text.includes("\0") ? undefined : { value: text }),
  };
}

/** A command for the shell, secret because it may contain a password. */
export function shellCommand(): Kind<Secret> {
  return {
    expected: "a command on one line",
    range: "a shell command",
    secret: true,
    read: (text) => (/[\0\r\n]/.test(text) ? undefined : { value: new Secret(text) }),
  };
}

/** A web address; it comes without a slash at its end. */
export function webAddress(protocols: readonly ("http:" | "https:")[]): Kind<string> {
  const range = `${protocols.map((protocol) => `${protocol}//`).join(" or ")} address`;
  return {
    expected: `an ${range} without a user name, query or fragment`,
    range,
    read: (text) => {
      const url = readUrl(text, protocols);
      if (!url || url.username || url.password || url.search || url.hash) return undefined;
      return { value: url.href.replace(/\/+$/, "") };
    },
  };
}

/** A Mini App's address: what Telegram accepts for its button, query and fragment included. */
export function miniAppAddress(): Kind<string> {
  return {
    expected: "an https:// address",
    range: "https:// address",
    hint: "Telegram opens Mini Apps over https only.",
    read: (text) => {
      const url = readUrl(text, ["https:", "http:"]);
      if (!url || url.username || url.password) return undefined;
      // The sandbox's chat page opens what runs on this machine.
      const secure = url.protocol === "https:" || loopbackPattern.test(url.hostname);
      return secure ? { value: url.href } : undefined;
    },
  };
}

const loopbackPattern = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/;

/** A public key of Ed25519, in hexadecimal digits. */
export function publicKey(): Kind<string> {
  return {
    expected: "64 hexadecimal digits",
    range: "64 hexadecimal digits",
    hint: "Telegram's keys are at core.telegram.org/bots/webapps, under third-party use.",
    read: (text) => (/^[\da-f]{64}$/i.test(text) ? { value: text.toLowerCase() } : undefined),
  };
}

/** A PostgreSQL address, secret because it contains a password. */
export function databaseAddress(): Kind<Secret> {
  return {
    expected:
      "a postgres:// address, such as postgres://bot:password@db.example.org:5432/bot; of several hosts, parted by commas, the primary is used",
    range: "postgres:// address",
    secret: true,
    read: (text) =>
      /^postgres(ql)?:\/\/\S+$/.test(text) ? { value: new Secret(text) } : undefined,
  };
}

/**
 * An address that may hold a password or a key, so that it is never shown.
 *
 * @param example How such an address looks, for the message about a wrong one.
 */
export function secretAddress(example?: string): Kind<Secret> {
  const range = "http:// or https:// address";
  return {
    expected: `an ${range}${example === undefined ? "" : `, such as ${example}`}`,
    range,
    secret: true,
    read: (text) => (readUrl(text, ["http:", "https:"]) ? { value: new Secret(text) } : undefined),
  };
}

/** An IP address to listen on, or localhost. */
export function listenAddress(): Kind<string> {
  return {
    expected: "an IP address, or localhost",
    range: "an IP address",
    hint: "127.0.0.1 is this machine only; 0.0.0.0 and :: are all of its addresses.",
    read: (text) => (text === "localhost" || isIP(text) !== 0 ? { value: text } : undefined),
  };
}

/** The name under which a server is reached, with `:port` where that differs. */
export function hostName(): Kind<string> {
  return {
    expected: "a host name, such as bot.example.org or bot.example.org:8443",
    range: "host names",
    hint: "Without http:// and without a path.",
    read: (text) =>
      /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:\d{1,5})?$/i.test(text)
        ? { value: text.toLowerCase() }
        : undefined,
  };
}

/** The secret that Telegram sends with every update. Source: Bot API, setWebhook, secret_token. */
export function webhookSecret(): Kind<Secret> {
  return {
    expected: "16 to 256 characters of A-Z, a-z, 0-9, _ and -",
    range: "16 to 256 characters of A-Z, a-z, 0-9, _ and -",
    secret: true,
    hint: "Make one with: openssl rand -hex 32.",
    read: (text) => (/^[\w-]{16,256}$/.test(text) ? { value: new Secret(text) } : undefined),
  };
}

/** A token that we choose ourselves. */
export function accessToken(): Kind<Secret> {
  return {
    expected: "at least 8 characters without spaces and commas",
    range: "a token of 8 characters or more",
    secret: true,
    hint: "Make one: openssl rand -hex 32",
    read: (text) => (/^[!-+\--~]{8,512}$/.test(text) ? { value: new Secret(text) } : undefined),
  };
}

/** A bot's token, as @BotFather gives it. */
export function botToken(): Kind<Secret> {
  return {
    expected: "a token such as 123456789:AA… (digits, a colon, at least 24 characters)",
    range: "a token from @BotFather",
    secret: true,
    hint: "Copy it again from @BotFather (/mybots, API Token).",
    read: (text) => (/^\d+:[\w-]{24,}$/.test(text) ? { value: new Secret(text) } : undefined),
  };
}

/** A key of 32 random bytes; the configuration holds it in base64. */
export function encryptionKey(): Kind<Secret> {
  return {
    expected: "32 random bytes as 44 characters of base64 or 64 hexadecimal digits",
    range: "32 random bytes, base64 or hexadecimal",
    secret: true,
    hint: "Make one with: openssl rand -base64 32",
    read: (text) => {
      const hexadecimal = /^[\da-f]{64}$/i.test(text);
      if (!hexadecimal && !/^[A-Za-z\d+/]{43}=$/.test(text)) return undefined;
      const bytes = Buffer.from(text, hexadecimal ? "hex" : "base64");
      // Refuses phrases, patterns and zeros: 32 random bytes have about thirty different values.
      if (bytes.length !== 32 || new Set(bytes).size < distinctBytesMin) return undefined;
      return { value: new Secret(bytes.toString("base64")) };
    },
  };
}

/** 32 random bytes have fewer different values once in 10 ** 14 times. */
const distinctBytesMin = 20;

function readUrl(text: string, protocols: readonly string[]): URL | undefined {
  const url = URL.parse(text);
  return url?.hostname && protocols.includes(url.protocol) ? url : undefined;
}
