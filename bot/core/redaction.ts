/**
 * Redaction: takes secrets, people's words and names, and too much text out of a log line.
 *
 * Pure: makes a copy and leaves the caller's object alone. Never throws.
 */

/** Values under such names are secrets whatever they look like. */
const secretName = /token|secret|password|authorization|cookie/i;
/** Values under such names are a person's. Ids are not: they are needed to find what went wrong. */
const personalName = /^(text|caption|(first|last|user)_?name|phone_?number|email)$/i;
/** A bot's token, in addresses also with its colon encoded. Source: Bot API, "Authorizing your bot". */
const tokenPattern = /\d{1,20}(?::|%3a)[\w-]{24,}/gi;
const addressPassword = /(\/\/)[^/\s@]{1,512}@/g;
const bearer = /(bearer\s+)[\w.~+/=-]+/gi;

const depthMax = 8;
const entriesMax = 50;
/** Longest text, in characters. */
const textLengthMax = 4_000;
/** Longest line, in characters, all texts and names together. */
const lineLengthMax = 32_000;
/** Longest rest of a token that a cut text may end in, in characters. */
const tokenRestMax = 300;

interface Budget {
  left: number;
}

/** A copy for the log: plain data, without secrets, of bounded size. Never throws. */
export function redact(value: unknown): unknown {
  return copy(value, { left: lineLengthMax }, []);
}

/** @param path The objects around `value`, to notice circles and depth. */
function copy(value: unknown, budget: Budget, path: readonly object[]): unknown {
  if (typeof value === "string") return copyText(value, budget);
  if (typeof value === "bigint" || typeof value === "symbol") {
    return copyText(String(value), budget);
  }
  if (typeof value === "function") return "[function]";
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (path.includes(value)) return "[circular]";
  if (path.length >= depthMax || budget.left <= 0) return "[cut]";
  try {
    return copyObject(value, budget, [...path, value]);
  } catch {
    // A getter, a proxy or a foreign toJSON threw.
    return "[unreadable]";
  }
}

function copyObject(value: object, budget: Budget, path: readonly object[]): unknown {
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return copyEntries([...value], budget, path);
  if (value instanceof Set) return copyObject([...value], budget, path);
  if (Array.isArray(value)) {
    const items = value.slice(0, entriesMax).map((item) => copy(item, budget, path));
    return value.length > entriesMax ? [...items, `[${value.length - entriesMax} more]`] : items;
  }
  if (value instanceof Error) {
    const { name, message, stack, cause } = value;
    const errors = value instanceof AggregateError ? value.errors : undefined;
    const fields = { ...value, name, message, cause, errors, stack };
    return copyEntries(Object.entries(fields), budget, path);
  }
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return copy(value.toJSON(), budget, path);
  }
  return copyEntries(Object.entries(value), budget, path);
}

function copyEntries(
  entries: readonly (readonly [unknown, unknown])[],
  budget: Budget,
  path: readonly object[],
): Record<string, unknown> {
  // Without a prototype, so that no name (`__proto__`) means anything.
  const result: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries.slice(0, entriesMax)) {
    const name = copyText(String(key), budget);
    if (value === undefined) continue;
    if (secretName.test(name)) result[name] = "[secret]";
    else if (personalName.test(name)) result[name] = "[personal]";
    else result[name] = copy(value, budget, path);
  }
  if (entries.length > entriesMax) result["…"] = `[${entries.length - entriesMax} more]`;
  return result;
}

function copyText(text: string, budget: Budget): string {
  const room = Math.max(0, Math.min(textLengthMax, budget.left));
  // What a cut leaves of a token would not be recognised as one, so it goes with the cut.
  const cut =
    text.length > room
      ? `${text.slice(0, room).replace(new RegExp(`[\\w:%-]{1,${tokenRestMax}}$`), "")}[cut]`
      : text;
  budget.left -= cut.length;
  return cut
    .replace(tokenPattern, "[secret]")
    .replace(addressPassword, "$1[secret]@")
    .replace(bearer, "$1[secret]");
}
