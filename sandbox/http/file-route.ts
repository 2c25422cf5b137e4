/** File route: downloads at `/file/bot<token>/<file_path>`. */
import type { Account } from "../world/account.ts";
import { fail } from "./answer.ts";
import { botIdOf } from "./bot-route.ts";
import type { Exchange } from "./exchange.ts";
import { decodePercent } from "./parameters.ts";

export function serveFile(exchange: Exchange, accounts: ReadonlyMap<number, Account>): void {
  const path = decodePercent((exchange.request.url ?? "").split("?", 1)[0] ?? "");
  const slash = path.indexOf("/", "/file/bot".length);
  const token = path.slice("/file/bot".length, slash < 0 ? undefined : slash);
  const account = accounts.get(botIdOf(token));
  const known = account?.token === token && !account.revoked;
  const file = known && slash > 0 ? account.files.at(path.slice(slash + 1)) : undefined;
  if (file?.content) {
    exchange.sendContent(200, "application/octet-stream", file.content);
  } else {
    exchange.send(known ? fail(404, "Not Found") : fail(401, "Unauthorized"), () => {});
  }
}
