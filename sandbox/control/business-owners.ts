/** Business owners: accounts that connect the bot, and customers who write to them. */
import type { SandboxControl } from "../control-api.ts";
import { Parameters } from "../http/parameters.ts";
import { businessRoom } from "../methods/call.ts";
import { randomId } from "../random.ts";
import { plainText } from "../text/formatted-text.ts";
import { textContent } from "../world/account.ts";
import { type BusinessConnection, businessRights, connectionObject } from "../world/business.ts";
import type { PeopleOptions } from "./actors.ts";
import { ControlError, integerIn, textIn } from "./control-error.ts";

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
    writeBusiness: (request) => {
      const account = accountFor(request.botId);
      const connection = account.business.find(request.connectionId);
      if (!connection) throw new ControlError(404, "there is no such connection");
      const customer = actors.user(request.userId);
      const call = { account, around, parameters: new Parameters() };
      const room = businessRoom(call, connection, customer.id);
      const formatted = plainText(textIn({ ...request }, "text"));
      if (formatted.text.trim() === "") throw new ControlError(400, "text must not be blank");
      const message = account.post(room, customer, textContent(formatted));
      return { message, updateId: account.deliver("business_message", message, room.id) };
    },
  };
}
