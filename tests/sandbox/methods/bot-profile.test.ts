/** What a bot says about itself, and whom it has verified, as people see it. */
import { expect, test } from "vitest";
import { sandboxToken } from "../../../sandbox/sandbox.ts";
import { type Loose, startConversation } from "../bot-client.ts";

async function world() {
  const started = await startConversation();
  started.control.createUser({ id: 43, firstName: "Eva", languageCode: "de-AT", started: true });
  const ask = async (method: string, parameters: object = {}): Promise<Loose> => {
    const { body } = await started.call(method, parameters);
    return body.ok ? body.result : body.description;
  };
  const seenBy = (userId: number) => started.control.botProfile({ userId });
  return { ...started, ask, seenBy };
}

test("each person sees the bot's texts in their language, or in the one for all", async () => {
  const { ask, seenBy } = await world();
  await ask("setMyName", { name: "Tea bot" });
  await ask("setMyDescription", { description: "Sells tea" });
  await ask("setMyDescription", { description: "Verkauft Tee", language_code: "de" });
  await ask("setMyShortDescription", { short_description: "Tea!" });
  const english = { name: "Tea bot", description: "Sells tea", shortDescription: "Tea!" };
  expect(seenBy(42)).toMatchObject(english);
  expect(seenBy(43)).toMatchObject({ ...english, description: "Verkauft Tee" });
  await ask("setMyDescription", { description: "", language_code: "de" });
  expect(seenBy(43).description).toBe("Sells tea");
});

test("a renamed bot has its new name under its messages, and gets the old one back", async () => {
  const { ask } = await world();
  const name = async () => (await ask("sendMessage", { chat_id: 42, text: "x" })).from.first_name;
  await ask("setMyName", { name: "Teebot", language_code: "de" });
  expect(await name()).toBe("Sandbox bot");
  await ask("setMyName", { name: "Tea bot" });
  expect([await name(), (await ask("getMe")).first_name]).toEqual(["Tea bot", "Tea bot"]);
  await ask("setMyName", { name: "" });
  expect(await ask("getMyName")).toEqual({ name: "Sandbox bot" });
});

test("a person is offered the commands of the narrowest scope that has any", async () => {
  const { ask, seenBy } = await world();
  const set = (command: string, scope?: object, language_code?: string) =>
    ask("setMyCommands", { commands: [{ command, description: "x" }], scope, language_code });
  const offered = (userId: number) => seenBy(userId).commands.map(({ command }) => command);
  expect(offered(42)).toEqual([]);
  await set("everywhere");
  await set("ueberall", undefined, "de");
  expect([offered(42), offered(43)]).toEqual([["everywhere"], ["ueberall"]]);
  await set("alone", { type: "all_private_chats" });
  await set("ann", { type: "chat", chat_id: 42 });
  expect([offered(42), offered(43)]).toEqual([["ann"], ["alone"]]);
  await ask("deleteMyCommands", { scope: { type: "chat", chat_id: 42 } });
  expect(offered(42)).toEqual(["alone"]);
});

test("the menu button is the chat's own, or the one for all chats", async () => {
  const { ask, seenBy } = await world();
  expect(seenBy(42).menuButton).toEqual({ type: "commands" });
  const app = { type: "web_app", text: "Shop", web_app: { url: "https://example.com/" } };
  await ask("setChatMenuButton", { menu_button: app });
  await ask("setChatMenuButton", { chat_id: 43, menu_button: { type: "commands" } });
  expect([seenBy(42).menuButton, seenBy(43).menuButton]).toEqual([app, { type: "commands" }]);
});

test("the latest profile photo can be downloaded, until it is taken away", async () => {
  const { ask, seenBy, url } = await world();
  const upload = async (content: string) => {
    const form = new FormData();
    form.set("photo", JSON.stringify({ type: "static", photo: "attach://file" }));
    form.set("file", new Blob([content]), "a.jpg");
    await fetch(`${url}/bot${sandboxToken}/setMyProfilePhoto`, { method: "POST", body: form });
  };
  const shown = async () => {
    const { file_path } = await ask("getFile", { file_id: seenBy(42).photo });
    return (await fetch(`${url}/file/bot${sandboxToken}/${file_path}`)).text();
  };
  await upload("first");
  await upload("second");
  expect(await shown()).toBe("second");
  await ask("removeMyProfilePhoto");
  expect(await shown()).toBe("first");
  await ask("removeMyProfilePhoto");
  expect(seenBy(42).photo).toBeNull();
});

test("a verified person and a verified chat are shown with the organisation's words", async () => {
  const { ask, control } = await world();
  const chat_id = control.createGroup({ title: "Club", memberIds: [42] }).id;
  const words = (id: number) => control.chats().find(({ chat }) => chat.id === id)?.verification;
  await ask("verifyUser", { user_id: 42, custom_description: "A real Ann" });
  await ask("verifyChat", { chat_id });
  expect([words(42), words(43), words(chat_id)]).toEqual(["A real Ann", null, ""]);
  await ask("removeUserVerification", { user_id: 42 });
  await ask("removeChatVerification", { chat_id });
  expect([words(42), words(chat_id)]).toEqual([null, null]);
});

test("an emoji status is the person's until it expires", async () => {
  const { ask, control } = await world();
  const emoji_status_expiration_date = Math.floor(control.describe().nowEpochMs / 1_000) + 60;
  const status = { emoji_status_custom_emoji_id: "7", emoji_status_expiration_date };
  await ask("setUserEmojiStatus", { user_id: 42, ...status });
  expect(await ask("getChat", { chat_id: 42 })).toMatchObject(status);
  control.advanceClock({ ms: 61_000 });
  expect((await ask("getChat", { chat_id: 42 })).emoji_status_custom_emoji_id).toBeUndefined();
});

test("the channel on a person's profile can be read, its latest messages too", async () => {
  const { ask, control } = await world();
  const { id: chatId } = control.createGroup({ title: "Ann's teas", type: "channel" });
  for (const text of ["one", "two", "three"]) await ask("sendMessage", { chat_id: chatId, text });
  const latest = async () =>
    (await ask("getUserPersonalChatMessages", { user_id: 42, limit: 2 })).map(
      ({ text }: Loose) => text,
    );
  expect(await latest()).toEqual([]);
  control.setPersonalChat({ userId: 42, chatId });
  expect(await latest()).toEqual(["two", "three"]);
  expect((await ask("getChat", { chat_id: 42 })).personal_chat.title).toBe("Ann's teas");
  control.setPersonalChat({ userId: 42 });
  expect((await ask("getChat", { chat_id: 42 })).personal_chat).toBeUndefined();
});
