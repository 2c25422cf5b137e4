/** People and bot: inline mode, live places, games, stickers, drafts, ephemeral messages, profiles. */
import { expect, test } from "vitest";
import { sandboxToken } from "../../../sandbox/sandbox.ts";
import { type Loose, startConversation } from "../bot-client.ts";

async function world() {
  const started = await startConversation();
  const ask = async (method: string, parameters: object = {}): Promise<Loose> => {
    const { body } = await started.call(method, parameters);
    return body.ok ? body.result : body.description;
  };
  const upload = async (method: string, fields: Record<string, unknown>): Promise<Loose> => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      form.set(name, typeof value === "string" ? value : JSON.stringify(value));
    }
    form.set("file", new Blob(["png"]), "a.png");
    const address = `${started.url}/bot${sandboxToken}/${method}`;
    const body = (await (await fetch(address, { method: "POST", body: form })).json()) as Loose;
    return body.ok ? body.result : body.description;
  };
  return { ...started, ask, upload };
}

test("an inline result is chosen, sent in the person's name, and edited by its inline id", async () => {
  const { ask, call, control } = await world();
  const { inlineQueryId } = control.askInline({ userId: 42, query: "cats" });
  expect(control.inlineResults({ inlineQueryId })).toBeNull();
  const content = { message_text: "*Cat*", parse_mode: "Markdown" };
  const article = { type: "article", id: "1", title: "Cat", input_message_content: content };
  await ask("answerInlineQuery", { inline_query_id: inlineQueryId, results: [article] });
  expect(control.inlineResults({ inlineQueryId })).toMatchObject([{ title: "Cat" }]);
  const chosen = control.chooseResult({ userId: 42, inlineQueryId, resultId: "1" });
  expect(control.messages({ chatId: 42 })[0]).toMatchObject({
    text: "Cat",
    from: { id: 42 },
    via_bot: { id: 123456789 },
  });
  const { result } = (await call("getUpdates")).body;
  const inline_message_id = chosen.inlineMessageId;
  expect(result[1].chosen_inline_result).toMatchObject({ query: "cats", inline_message_id });
  expect(await ask("editMessageText", { inline_message_id, text: "Dog" })).toBe(true);
  expect(control.messages({ chatId: 42 })[0]?.text).toBe("Dog");
});

test("a live place moves until it is stopped or its time is over", async () => {
  const { ask, control } = await world();
  const place = { chat_id: 42, latitude: 1, longitude: 2 };
  const { message_id } = await ask("sendLocation", { ...place, live_period: 60 });
  const moved = await ask("editMessageLiveLocation", { ...place, message_id, latitude: 3 });
  expect(moved.location).toMatchObject({ latitude: 3, live_period: 60 });
  const stopped = await ask("stopMessageLiveLocation", { chat_id: 42, message_id });
  expect(stopped.location.live_period).toBeUndefined();
  const second = await ask("sendLocation", { ...place, live_period: 60 });
  control.advanceClock({ ms: 61_000 });
  const late = { ...place, message_id: second.message_id, latitude: 4 };
  expect(await ask("editMessageLiveLocation", late)).toBe("Bad Request: message can't be edited");
});

test("a game keeps the best score of each player", async () => {
  const { ask } = await world();
  const { message_id } = await ask("sendGame", { chat_id: 42, game_short_name: "snake" });
  const play = { chat_id: 42, message_id, user_id: 42 };
  await ask("setGameScore", { ...play, score: 10 });
  expect(await ask("setGameScore", { ...play, score: 5 })).toBe(
    "Bad Request: BOT_SCORE_NOT_MODIFIED",
  );
  await ask("setGameScore", { ...play, score: 5, force: true });
  expect(await ask("getGameHighScores", play)).toMatchObject([{ position: 1, score: 5 }]);
});

test("a sticker set is made of uploads, changed and deleted", async () => {
  const { ask, upload } = await world();
  const name = "cats_by_sandbox_123456789_bot";
  const sticker = { sticker: "attach://file", format: "static", emoji_list: ["🙂"] };
  const made = { user_id: "42", name, title: "Cats", stickers: [sticker] };
  expect(await upload("createNewStickerSet", { ...made, name: "cats" })).toBe(
    "Bad Request: PACK_SHORT_NAME_INVALID",
  );
  expect(await upload("createNewStickerSet", made)).toBe(true);
  expect(await upload("addStickerToSet", { user_id: "42", name, sticker })).toBe(true);
  const [first, second] = (await ask("getStickerSet", { name })).stickers;
  await ask("setStickerPositionInSet", { sticker: second.file_id, position: 0 });
  await ask("setStickerEmojiList", { sticker: first.file_id, emoji_list: ["😎"] });
  const now = (await ask("getStickerSet", { name })).stickers;
  expect(now.map(({ emoji }: Loose) => emoji)).toEqual(["🙂", "😎"]);
  expect((await ask("sendSticker", { chat_id: 42, sticker: first.file_id })).sticker.file_id).toBe(
    first.file_id,
  );
  expect(await ask("deleteStickerSet", { name })).toBe(true);
  expect(await ask("getStickerSet", { name })).toBe("Bad Request: STICKERSET_INVALID");
});

test("a draft grows before the person's eyes, and the message ends it", async () => {
  const { ask, control } = await world();
  const shown = () => control.chats()[0]?.draft;
  await ask("sendMessageDraft", { chat_id: 42, draft_id: 1, text: "Once" });
  await ask("sendMessageDraft", { chat_id: 42, draft_id: 1, text: "Once upon" });
  expect([shown(), control.messages({ chatId: 42 })]).toEqual(["Once upon", []]);
  await ask("sendMessage", { chat_id: 42, text: "Once upon a time" });
  expect(shown()).toBeNull();
});

test("an ephemeral message is seen by one person, changed and deleted, and in no history", async () => {
  const { ask, control } = await world();
  const chat_id = control.createGroup({ title: "G", memberIds: [42] }).id;
  const only = { ephemeral_message_parameters: { receiver_user_id: 42 } };
  const sent = await ask("sendMessage", { chat_id, text: "psst", ...only });
  expect(sent).toMatchObject({ message_id: 0, receiver_user: { id: 42 } });
  const { ephemeral_message_id } = sent;
  const target = { chat_id, receiver_user_id: 42, ephemeral_message_id };
  expect(await ask("editEphemeralMessageText", { ...target, text: "hush" })).toBe(true);
  expect(await ask("deleteEphemeralMessage", target)).toBe(true);
  expect(await ask("deleteEphemeralMessage", target)).toContain("not found");
  expect(control.messages({ chatId: chat_id })).toEqual([]);
});

test("the bot's names, rights and photo can be read back", async () => {
  const { ask, upload } = await world();
  await ask("setMyName", { name: "Anna", language_code: "de" });
  expect(await ask("getMyName", { language_code: "de" })).toEqual({ name: "Anna" });
  expect(await ask("getMyName")).toEqual({ name: "Sandbox bot" });
  expect(await ask("setMyName", { name: "x".repeat(65) })).toBe("Bad Request: BOT_TITLE_TOO_LONG");
  await ask("setMyDefaultAdministratorRights", { rights: { can_pin_messages: true } });
  expect(await ask("getMyDefaultAdministratorRights")).toMatchObject({
    can_pin_messages: true,
    can_change_info: false,
  });
  await upload("setMyProfilePhoto", { photo: { type: "static", photo: "attach://file" } });
  expect((await ask("getUserProfilePhotos", { user_id: 123456789 })).total_count).toBe(1);
  await ask("removeMyProfilePhoto");
  expect((await ask("getUserProfilePhotos", { user_id: 123456789 })).total_count).toBe(0);
});

test("a boost is told to the bot, and listed", async () => {
  const { ask, call, control } = await world();
  const chatId = control.createGroup({ title: "G", memberIds: [42] }).id;
  const { boostId } = control.boost({ userId: 42, chatId });
  expect((await call("getUpdates")).body.result[0].chat_boost.boost.boost_id).toBe(boostId);
  const { boosts } = await ask("getUserChatBoosts", { chat_id: chatId, user_id: 42 });
  expect(boosts).toHaveLength(1);
});

test("a Mini App's query is answered once, by a message in the person's name", async () => {
  const { ask, control } = await world();
  const { url } = control.webApp({ userId: 42, url: "https://example.com/" });
  const launch = new URLSearchParams(new URL(url).hash.slice(1)).get("tgWebAppData") ?? "";
  const web_app_query_id = new URLSearchParams(launch).get("query_id");
  const input_message_content = { message_text: "chosen in the app" };
  const result = { type: "article", id: "1", title: "x", input_message_content };
  const { inline_message_id } = await ask("answerWebAppQuery", { web_app_query_id, result });
  expect(inline_message_id).toBeTypeOf("string");
  expect(control.messages({ chatId: 42 })[0]).toMatchObject({
    text: "chosen in the app",
    from: { id: 42 },
  });
  expect(await ask("answerWebAppQuery", { web_app_query_id, result })).toContain("too old");
});

test("a link to a person becomes a mention, unless the bot has never met them", async () => {
  const { ask } = await world();
  const marked = { parse_mode: "HTML", text: '<a href="tg://user?id=42">Ann</a>' };
  const sent = await ask("sendMessage", { chat_id: 42, ...marked });
  const mention = { offset: 0, length: 3, type: "text_mention", user: { id: 42 } };
  expect(sent.entities).toMatchObject([mention]);
  const target = { chat_id: 42, message_id: sent.message_id };
  expect(await ask("editMessageText", { ...target, ...marked })).toContain("not modified");
  const given = [{ type: "text_mention", offset: 0, length: 3, user: { id: 999 } }];
  const stranger = await ask("sendMessage", { chat_id: 42, text: "Who", entities: given });
  expect(stranger.entities).toBeUndefined();
});
