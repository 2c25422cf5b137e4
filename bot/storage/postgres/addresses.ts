/** Addresses: the servers that DATABASE_URL names, one of which is the primary. */

/**
 * One address for each host of `postgres://user:password@one:5432,two:5432/database?options`. An address
 * without several hosts stays as it is.
 */
export function addressesOf(url: string): readonly string[] {
  const parts = /^(postgres(?:ql)?:\/\/(?:[^/@]*@)?)([^/?]*)(.*)$/s.exec(url);
  if (!parts) return [url];
  const [, before = "", hosts = "", after = ""] = parts;
  return hosts.split(",").map((host) => `${before}${host}${after}`);
}
