/**
 * Undici parts: what the client of one server needs of undici, without the rest.
 *
 * Its index also loads fetch, WebSocket, caches and mocks: 5 MB that stay, and a twentieth of a start. The
 * paths are no promise of its authors, so package.json names one exact version.
 */
import { createRequire } from "node:module";
import type * as Undici from "undici";

const require = createRequire(import.meta.url);

export const Pool: typeof Undici.Pool = require("undici/lib/dispatcher/pool.js");

/** Where there is a proxy, everything is loaded: its agent calls what the index adds to all of them. */
export function proxyAgent(options: Undici.ProxyAgent.Options): Undici.ProxyAgent {
  const { ProxyAgent }: typeof Undici = require("undici");
  return new ProxyAgent(options);
}
