/**
 * Login parameters: the query that Telegram adds to the address of a login button, signed with the token.
 *
 * Source: core.telegram.org/widgets/login, "Checking authorization".
 */
import { createHash, createHmac } from "node:crypto";
import type { User } from "../world/objects.ts";
import { checkString } from "./launch-parameters.ts";

/** @param address A valid URL; what stands in its query stays there. */
export function loginAddress(address: string, token: string, user: User, authDateS: number) {
  const { first_name, id, last_name, username } = user;
  const fields = new Map([
    ["auth_date", String(authDateS)],
    ["first_name", first_name],
    ["id", String(id)],
    ...(last_name ? ([["last_name", last_name]] as const) : []),
    ...(username ? ([["username", username]] as const) : []),
  ]);
  const secret = createHash("sha256").update(token).digest();
  fields.set("hash", createHmac("sha256", secret).update(checkString(fields)).digest("hex"));
  const url = new URL(address);
  for (const [name, value] of fields) url.searchParams.set(name, value);
  return url.href;
}
