/** Business owners: accounts that connect the bot, and customers who write to them. */
import type { SandboxControl } from "../control-api.ts";
import { randomId } from "../random.ts";
import { type BusinessConnection, businessRights, connectionObject } from "../world/business.ts";
import type { PeopleOptions } from "./actors.ts";
import { integerIn, textIn } from "./control-error.ts";

export function createBusiness({
  account: accountFor,
  actors,
  around,
}: PeopleOptions): Pick<SandboxControl, "connectBusiness" | "writeBusiness"> {
  return {
    connectBusiness: (request) => {
      const account = accountFor(request.botId);
      const user = actors.user(request.userId);
      account.privateRoom(user);
      const rights = Array.isArray(request.rights) ? request.rights.map(String) : businessRights;
      const id = request.connectionId ?? randomId(around.random);
      const connection: BusinessConnection = {
        id: textIn({ id }, "id"),
        user,
        date: around.clock.epochS(),
        rights: Object.fromEntries(rights.map((name) => [name, true])),
        enabled: request.enabled ?? true,
        stars: integerIn({ stars: request.stars ?? 0 }, "stars", 0),
        profile: {},
        rooms: new Map(),
        stories: new Map(),
      };
      account.business.add(connection);
      const update = connectionObject(connection);
      return { updateId: account.deliver("business_connection", update, null), connectionId: id };
    },
    writeBusiness: ({ connectionId, userId, text, botId }) =>
      actors.write({ connectionId, userId, chatId: userId, text, ...(botId ? { botId } : {}) }),
  };
}
