/** Signed init data: signs as Telegram does, with a token and with a key of the test's own. */
import { createHmac, generateKeyPairSync, sign } from "node:crypto";

const pair = generateKeyPairSync("ed25519");

export const botId = "42";
export const tokenText = `${botId}:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`;
/** The key that belongs to the field `signature`, in hexadecimal digits. */
export const publicKey = Buffer.from(
  pair.publicKey.export({ format: "jwk" }).x ?? "",
  "base64url",
).toString("hex");

type Fields = Readonly<Record<string, string>>;

/** Fields as a client sends them. @param authDateS Unix seconds. */
export function fieldsOf(user: object, authDateS: number): Fields {
  return { auth_date: String(authDateS), query_id: "AAE", user: JSON.stringify(user) };
}

/** @param by Which signatures it gets. Default: both, like Telegram's own. */
export function signed(
  fields: Fields,
  by: readonly ("hash" | "signature")[] = ["hash", "signature"],
) {
  const all: Record<string, string> = { ...fields };
  if (by.includes("signature")) {
    const message = Buffer.from(`${botId}:WebAppData\n${checkString(all)}`);
    all["signature"] = sign(null, message, pair.privateKey).toString("base64url");
  }
  if (by.includes("hash")) {
    const key = createHmac("sha256", "WebAppData").update(tokenText).digest();
    all["hash"] = createHmac("sha256", key).update(checkString(all)).digest("hex");
  }
  return new URLSearchParams(all).toString();
}

function checkString(fields: Fields): string {
  const names = Object.keys(fields).sort();
  return names.map((name) => `${name}=${fields[name]}`).join("\n");
}
