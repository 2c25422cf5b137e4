/** File route: downloads at `/file/bot<token>/<file_path>`, in the test environment after `test/`. */
import type { Account } from "../world/account.ts";
import { ApiError, fail } from "./answer.ts";
import { accountAt, parseBotRoute } from "./bot-route.ts";
import type { Exchange } from "./exchange.ts";

export function serveFile(exchange: Exchange, accounts: ReadonlyMap<number, Account>): void {
  const path = (exchange.request.url ?? "").split("?", 1)[0] ?? "";
  const found = fileAt(path.slice("/file".length), accounts);
  if (typeof found === "number") {
    exchange.send(fail(found, found === 401 ? "Unauthorized" : "Not Found"), () => {});
  } else exchange.sendContent(200, "application/octet-stream", found);
}

/** The content, or the status that refuses it. */
function fileAt(path: string, accounts: ReadonlyMap<number, Account>): Buffer | number {
  try {
    const route = parseBotRoute(path);
    const account = accountAt(accounts, route);
    return account ? (account.files.at(route.method)?.content ?? 404) : 401;
  } catch (error) {
    if (error instanceof ApiError) return 401;
    throw error;
  }
}
