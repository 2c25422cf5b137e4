/** Stars and business: gifts, paid media, connected accounts, stories and checklists. */
import { expect, test } from "vitest";
import { type Loose, startConversation } from "../bot-client.ts";

async function world() {
  const started = await startConversation();
  started.control.createUser({ id: 43, firstName: "Ben", started: true });
  const ask = async (method: string, parameters: object = {}): Promise<Loose> => {
    const { body } = await started.call(method, parameters);
    return body.ok ? body.result : body.description;
  };
  return { ...started, ask };
}

test("a gift costs Stars that the bot must have, and belongs to whom it was sent", async () => {
  const { ask, control } = await world();
  const [gift] = (await ask("getAvailableGifts")).gifts;
  const sending = { user_id: 42, gift_id: gift.id, text: "for you" };
  expect(await ask("sendGift", sending)).toBe("Bad Request: BALANCE_TOO_LOW");
  control.giveStars({ amount: 20 });
  expect(await ask("sendGift", sending)).toBe(true);
  expect(await ask("getMyStarBalance")).toEqual({ amount: 20 - gift.star_count });
  expect(await ask("getUserGifts", { user_id: 42 })).toMatchObject({
    total_count: 1,
    gifts: [{ type: "regular", gift: { id: gift.id }, text: "for you" }],
  });
  const { transactions } = await ask("getStarTransactions");
  expect(transactions.map((one: Loose) => one.receiver?.type ?? one.source?.type)).toEqual([
    "fragment",
    "user",
  ]);
});

test("paid media is bought by a person, and the bot hears of it with its payload", async () => {
  const { ask, call, control } = await world();
  const media = [{ type: "photo", media: "https://example.com/a.png" }];
  const sent = await ask("sendPaidMedia", { chat_id: 42, star_count: 5, media, payload: "p" });
  expect(sent.paid_media).toMatchObject({ star_count: 5, paid_media: [{ type: "photo" }] });
  control.buyMedia({ userId: 42, chatId: 42, messageId: sent.message_id });
  const { result } = (await call("getUpdates")).body;
  expect(result[0].purchased_paid_media).toMatchObject({ paid_media_payload: "p" });
  expect(await ask("getMyStarBalance")).toEqual({ amount: 5 });
});

test("a connected account's customer is answered in its name, apart from the bot's own chats", async () => {
  const { ask, call, control } = await world();
  const { connectionId } = control.connectBusiness({ userId: 42 });
  control.writeBusiness({ connectionId, userId: 43, text: "is it open?" });
  const { result } = (await call("getUpdates")).body;
  expect(result[0].business_connection).toMatchObject({ id: connectionId, is_enabled: true });
  expect(result[1].business_message).toMatchObject({ business_connection_id: connectionId });
  const place = { business_connection_id: connectionId, chat_id: 43 };
  const sent = await ask("sendMessage", { ...place, text: "yes" });
  expect(sent).toMatchObject({ from: { id: 42 }, sender_business_bot: { id: 123456789 } });
  const edited = { ...place, message_id: sent.message_id, text: "yes!" };
  expect((await ask("editMessageText", edited)).text).toBe("yes!");
  expect(control.messages({ chatId: 43 })).toEqual([]);
  const checklist = { title: "Today", tasks: [{ id: 1, text: "sweep" }] };
  expect((await ask("sendChecklist", { ...place, checklist })).checklist).toEqual(checklist);
});

test("an account grants the bot what it may do", async () => {
  const { ask, control } = await world();
  const account = { business_connection_id: "b" };
  expect(await ask("getBusinessAccountStarBalance", account)).toBe(
    "Bad Request: business connection not found",
  );
  control.connectBusiness({ userId: 42, connectionId: "b", stars: 7, rights: ["can_edit_name"] });
  expect(await ask("getBusinessAccountStarBalance", account)).toBe(
    "Bad Request: BOT_ACCESS_FORBIDDEN",
  );
  await ask("setBusinessAccountName", { ...account, first_name: "Shop" });
  expect((await ask("getBusinessConnection", account)).user.first_name).toBe("Shop");
});
