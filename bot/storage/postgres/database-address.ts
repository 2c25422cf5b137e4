/** Database address: what may be shown of DATABASE_URL. */
import type { Secret } from "../../core/secret.ts";

/** The address without password and options; of these only the host, which a socket is named by. */
export function withoutPassword(url: Secret): string {
  const shown = URL.parse(url.reveal());
  // A password with unusual characters may make it look as if part of it were the name of a database.
  if (!shown || /[@:]/.test(shown.pathname)) return "the database of DATABASE_URL";
  const host = shown.host || shown.searchParams.get("host") || "";
  return `postgres://${shown.username && `${shown.username}@`}${host}${shown.pathname}`;
}
