/**
 * Init data: proves who opened a Mini App, by what Telegram has signed for it.
 *
 * Telegram signs twice: with a key made of the bot's token (HMAC-SHA256, the field `hash`), and with its own
 * key (Ed25519, the field `signature`). The first counts where it is there; the second where it was left out.
 * Source: core.telegram.org/bots/webapps, "Validating data received via the Mini App".
 */
import { createHmac, createPublicKey, type KeyObject, timingSafeEqual, verify } from "node:crypto";
import type { User } from "telegraf/types";
import { InitDataRefusedError } from "../../core/errors.ts";
import type { Secret } from "../../core/secret.ts";

export interface InitDataCheckDeps {
  readonly token: Secret;
  /** Telegram's Ed25519 keys, 64 hexadecimal digits each. */
  readonly publicKeys: readonly string[];
  /** Milliseconds after which it proves nothing any more. */
  readonly ageMaxMs: number;
}

/** Real ones have about 1 000 characters, and a dozen fields. */
const lengthMax = 4_096;
const fieldsMax = 32;
/** Milliseconds by which Telegram's clock may be ahead of ours. */
const aheadMaxMs = 60_000;

export class InitDataCheck {
  readonly #ageMaxMs: number;
  readonly #botId: string;
  readonly #hashKey: Buffer;
  readonly #publicKeys: readonly KeyObject[];

  constructor({ ageMaxMs, publicKeys, token }: InitDataCheckDeps) {
    this.#ageMaxMs = ageMaxMs;
    this.#botId = String(token.reveal().split(":")[0]);
    this.#hashKey = createHmac("sha256", "WebAppData").update(token.reveal()).digest();
    this.#publicKeys = publicKeys.map(toPublicKey);
  }

  /**
   * The person that the init data speak of.
   *
   * @param initData As the client gave it to the page, still encoded.
   * @throws {InitDataRefusedError}
   */
  personOf(initData: string, nowEpochMs: number): User {
    const fields = parse(initData);
    if (!this.#isSigned(fields)) throw new InitDataRefusedError("forged");
    const date = fields.get("auth_date") ?? "";
    if (!/^\d{1,12}$/.test(date)) throw new InitDataRefusedError("malformed");
    const ageMs = nowEpochMs - Number(date) * 1_000;
    if (ageMs < -aheadMaxMs) throw new InitDataRefusedError("from-the-future");
    if (ageMs > this.#ageMaxMs) throw new InitDataRefusedError("expired");
    return readUser(fields.get("user"));
  }

  #isSigned(fields: ReadonlyMap<string, string>): boolean {
    const hash = fields.get("hash");
    if (hash !== undefined) return this.#isHash(hash, fields);
    const signature = fields.get("signature");
    return signature !== undefined && this.#isSignature(signature, fields);
  }

  #isHash(hash: string, fields: ReadonlyMap<string, string>): boolean {
    if (!/^[\da-f]{64}$/.test(hash)) return false;
    const expected = createHmac("sha256", this.#hashKey).update(checkString(fields, ["hash"]));
    return timingSafeEqual(expected.digest(), Buffer.from(hash, "hex"));
  }

  #isSignature(text: string, fields: ReadonlyMap<string, string>): boolean {
    const bytes = Buffer.from(text, "base64url");
    // Other texts with the same bytes are refused, so that there is one form of each signature.
    if (bytes.length !== 64 || bytes.toString("base64url") !== text.replace(/={1,2}$/, "")) {
      return false;
    }
    const signed = `${this.#botId}:WebAppData\n${checkString(fields, ["hash", "signature"])}`;
    return this.#publicKeys.some((key) => verify(null, Buffer.from(signed), key, bytes));
  }
}

function toPublicKey(hexadecimal: string): KeyObject {
  const x = Buffer.from(hexadecimal, "hex").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

function parse(initData: string): ReadonlyMap<string, string> {
  if (initData === "" || initData.length > lengthMax) throw new InitDataRefusedError("malformed");
  const pairs = [...new URLSearchParams(initData)];
  const fields = new Map(pairs);
  // A line break in a value could make two different lists of fields one text to sign.
  const plain = pairs.every(([name, value]) => /^\w+$/.test(name) && !/\p{Cc}/u.test(value));
  if (!plain || fields.size !== pairs.length || fields.size > fieldsMax) {
    throw new InitDataRefusedError("malformed");
  }
  return fields;
}

function checkString(fields: ReadonlyMap<string, string>, without: readonly string[]): string {
  return [...fields.keys()]
    .filter((name) => !without.includes(name))
    .sort()
    .map((name) => `${name}=${fields.get(name)}`)
    .join("\n");
}

const texts = ["first_name", "last_name", "username", "language_code"] as const;

/** Reads the user that Telegram has signed, as carefully as any update. */
function readUser(json: string | undefined): User {
  const user = parseObject(json);
  const id = user?.["id"];
  if (!user || !Number.isSafeInteger(id) || Number(id) <= 0 || user["is_bot"] === true) {
    throw new InitDataRefusedError("malformed");
  }
  const known = texts.flatMap((name) => {
    const value = user[name];
    return typeof value === "string" ? [[name, value]] : [];
  });
  return { first_name: "", ...Object.fromEntries(known), id: Number(id), is_bot: false };
}

function parseObject(json: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json ?? "");
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Signed by Telegram and no JSON: refused like any other form that we do not know.
    return undefined;
  }
}
