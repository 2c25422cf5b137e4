import { expect, test } from "vitest";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { type Loose, post, startConversation } from "./bot-client.ts";

/** Sends a form with fields and files, as a client library would. */
async function upload(
  url: string,
  method: string,
  fields: Record<string, string>,
  files: Record<string, string>,
) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  for (const [name, content] of Object.entries(files))
    form.set(name, new Blob([content]), `${name}.txt`);
  const response = await fetch(`${url}/bot${sandboxToken}/${method}`, {
    method: "POST",
    body: form,
  });
  return (await response.json()) as Loose;
}

test("an uploaded file can be sent again by its id, asked for and downloaded", async () => {
  const { url, call, control } = await startConversation();
  const sent = await upload(
    url,
    "sendDocument",
    { chat_id: "42", caption: "*c*", parse_mode: "Markdown" },
    { document: "hello file" },
  );
  expect(sent.result).toMatchObject({
    caption: "c",
    document: { file_name: "document.txt", file_size: 10 },
  });
  const { file_id } = sent.result.document;

  const again = await call("sendDocument", { chat_id: 42, document: file_id });
  expect(again.body.result.document.file_id).toBe(file_id);
  const { body } = await call("getFile", { file_id });
  const download = await fetch(`${url}/file/bot${sandboxToken}/${body.result.file_path}`);
  expect(await download.text()).toBe("hello file");
  expect(control.journal()[0]?.parameters["document"]).toBe("[file document.txt, 10 bytes]");
});

test("a file may be attached under another name, or named by an address that is not fetched", async () => {
  const { url, call } = await startConversation();
  const attached = await upload(
    url,
    "sendPhoto",
    { chat_id: "42", photo: "attach://it" },
    { it: "png" },
  );
  expect(attached.result.photo).toHaveLength(1);
  const missing = await upload(
    url,
    "sendPhoto",
    { chat_id: "42", photo: "attach://other" },
    { it: "png" },
  );
  expect(missing.description).toBe("Bad Request: wrong file identifier/HTTP URL specified");
  expect(
    (await call("sendVideo", { chat_id: 42, video: "https://example.com/a.mp4" })).body.result.video
      .file_name,
  ).toBe("a.mp4");
  expect((await call("sendVideo", { chat_id: 42, video: "https://" })).body.description).toBe(
    "Bad Request: wrong HTTP URL specified",
  );
});

test("an album is several messages of one group, and costs as many", async () => {
  const { url, control } = await startConversation();
  const media = [
    { type: "photo", media: "attach://a", caption: "<b>x</b>", parse_mode: "HTML" },
    { type: "video", media: "https://example.com/b.mp4" },
  ];
  const sent = await upload(
    url,
    "sendMediaGroup",
    { chat_id: "42", media: JSON.stringify(media) },
    { a: "png" },
  );
  expect(sent.result.map((message: Loose) => message.message_id)).toEqual([1, 2]);
  expect(sent.result[0].media_group_id).toBe(sent.result[1].media_group_id);
  expect(control.journal()[0]).toMatchObject({ cost: 2, messageId: 1, executed: true });
});

test.for([
  { media: [], text: "Bad Request: group must contain at least 2 messages" },
  { media: [{}, {}], text: "Bad Request: can't parse InputMedia: wrong type" },
  {
    media: Array.from({ length: 11 }, () => ({ type: "photo", media: "x" })),
    text: "Bad Request: too many messages to send as an album",
  },
  {
    media: [
      { type: "photo", media: "x" },
      { type: "photo", media: "y" },
    ],
    text: "Bad Request: wrong file identifier/HTTP URL specified",
  },
])("an album is refused: $text", async ({ media, text }) => {
  const { call, control } = await startConversation();
  expect((await call("sendMediaGroup", { chat_id: 42, media })).body.description).toBe(text);
  expect(control.messages({ chatId: 42 })).toEqual([]);
});

test("a caption has its own limit and can be edited", async () => {
  const { call } = await startConversation();
  const photo = { chat_id: 42, photo: "https://example.com/a.png" };
  expect((await call("sendPhoto", { ...photo, caption: "x".repeat(1_025) })).body.description).toBe(
    "Bad Request: message caption is too long",
  );
  await call("sendPhoto", { ...photo, caption: "one" });
  const edited = await call("editMessageCaption", { chat_id: 42, message_id: 1, caption: "two" });
  expect(edited.body.result).toMatchObject({ caption: "two", photo: expect.anything() });
});

test("files cannot be downloaded without the right token", async () => {
  const { url } = await startConversation();
  expect((await post(`${url}/file/bot1:x/photos/file_0.png`, "")).status).toBe(401);
  expect((await post(`${url}/file/bot${sandboxToken}/../../etc/passwd`, "")).status).toBe(404);
});
