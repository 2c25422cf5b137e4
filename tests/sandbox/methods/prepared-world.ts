/** Prepared world: a sandbox in which every method of the Bot API has something to work on. */
import { type Loose, startConversation } from "../bot-client.ts";

const png = "attach://file";

export async function preparedWorld() {
  const started = await startConversation({ flood: "off", pacing: false });
  const { call, control } = started;
  control.createUser({ id: 43, firstName: "Ben", started: true });
  const forum = control.createGroup({ title: "Forum", forum: true, memberIds: [42, 43] }).id;
  control.connectBusiness({ userId: 42, connectionId: "b", stars: 1_000 });
  control.giveStars({ amount: 10_000 });
  const result = async (method: string, parameters: object): Promise<Loose> =>
    (await call(method, parameters)).body.result;
  const text = await result("sendMessage", { chat_id: forum, text: "hello" });
  return { ...started, forum, png, result, textId: text.message_id as number };
}
