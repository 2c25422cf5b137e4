/** Database address: what may be shown of DATABASE_URL. */
import type { Secret } from "../../core/secret.ts";

/** Stands where an address has no host, because an option names it. */
const noHost = "unnamed.invalid";

/** The address without password and options; of these only the host, which may be a socket's directory. */
export function withoutPassword(url: Secret): string {
  const shown = URL.parse(
    url.reveal().replace(/^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)\//, `$1${noHost}/`),
  );
  // A password with unusual characters may make it look as if part of it were the name of a database.
  if (!shown || /[@:]/.test(shown.pathname)) return "the database of DATABASE_URL";
  const host = shown.host === noHost ? (shown.searchParams.get("host") ?? "") : shown.host;
  return `postgres://${shown.username && `${shown.username}@`}${host}${shown.pathname}`;
}
