/** Several bots in one sandbox, the test environment, and a server in `--local` mode. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { Sandbox, sandboxToken } from "../../sandbox/sandbox.ts";
import { type Loose, post, startConversation, startSandbox } from "./bot-client.ts";

const second = "987654321:SECOND-TOKEN-not-a-real-one-00000000";

test("each bot has its own chats with the same people, its own groups and its own updates", async () => {
  const { call, control } = await startSandbox({ tokens: [sandboxToken, second], pacing: false });
  control.createUser({ id: 42, firstName: "Ann", started: true });
  const group = control.createGroup({ title: "Second's", memberIds: [42], botId: 987654321 }).id;
  expect((await call("getMe", {}, second)).body.result.id).toBe(987654321);
  await call("sendMessage", { chat_id: 42, text: "first" });
  await call("sendMessage", { chat_id: 42, text: "second" }, second);
  control.write({ userId: 42, text: "to the second", botId: 987654321 });
  const texts = (botId?: number) =>
    control.messages({ chatId: 42, ...(botId ? { botId } : {}) }).map(({ text }) => text);
  expect(texts()).toEqual(["first"]);
  expect(texts(987654321)).toEqual(["second", "to the second"]);
  expect((await call("getUpdates")).body.result).toEqual([]);
  expect((await call("getUpdates", {}, second)).body.result[0].message.text).toBe("to the second");
  expect((await call("getChat", { chat_id: group })).status).toBe(400);
  expect((await call("getChat", { chat_id: group }, second)).status).toBe(200);
});

test("a token of the test environment is accepted there only, and others are not", async () => {
  const { call, control, url } = await startSandbox({ tokens: [sandboxToken, `${second}/test`] });
  expect((await call("getMe", {}, `${second}/test`)).body.result.id).toBe(987654321);
  expect((await call("getMe", {}, second)).status).toBe(401);
  expect((await call("getMe", {}, `${sandboxToken}/test`)).status).toBe(401);
  expect(control.describe().bots).toMatchObject([{ test: false }, { token: second, test: true }]);
  control.createUser({ id: 42, firstName: "Ann", started: true });
  const file_id = await sendDocument(`${url}/bot${second}/test`);
  const { file_path } = (await call("getFile", { file_id }, `${second}/test`)).body.result;
  expect(await (await fetch(`${url}/file/bot${second}/test/${file_path}`)).text()).toBe("content");
  expect((await fetch(`${url}/file/bot${second}/${file_path}`)).status).toBe(401);
});

test("a bot with two tokens, or a token that Telegram would not accept, is refused at the start", () => {
  expect(() => new Sandbox({ tokens: [second, `${second}/test`] })).toThrow("two tokens");
  expect(() => new Sandbox({ tokens: ["x/test"] })).toThrow("not a token");
});

test("a local server tells absolute paths of files, and takes files of the same machine", async () => {
  const localDirectory = mkdtempSync(join(tmpdir(), "sandbox-local-"));
  onTestFinished(() => rmSync(localDirectory, { recursive: true, force: true }));
  const { call, url } = await startConversation({ localDirectory });
  const file_id = await sendDocument(`${url}/bot${sandboxToken}`);
  const { file_path } = (await call("getFile", { file_id })).body.result;
  expect(isAbsolute(file_path)).toBe(true);
  expect(readFileSync(file_path, "utf8")).toBe("content");
  const own = join(localDirectory, "own file.txt");
  writeFileSync(own, "mine");
  const sent = await call("sendDocument", { chat_id: 42, document: pathToFileURL(own).href });
  expect(sent.body.result.document).toMatchObject({ file_name: "own file.txt", file_size: 4 });
  const folder = pathToFileURL(localDirectory).href;
  expect((await call("sendDocument", { chat_id: 42, document: folder })).status).toBe(400);
});

test("without local mode a bot cannot name files of the machine", async () => {
  const { call } = await startConversation();
  const document = pathToFileURL(import.meta.filename).href;
  expect((await call("sendDocument", { chat_id: 42, document })).status).toBe(400);
});

async function sendDocument(api: string): Promise<string> {
  const form = new FormData();
  form.set("chat_id", "42");
  form.set("document", new Blob(["content"]), "a.txt");
  const response = await fetch(`${api}/sendDocument`, { method: "POST", body: form });
  return ((await response.json()) as Loose).result.document.file_id;
}

test("what the whole sandbox does not know by a token has Telegram's answer", async () => {
  const { url } = await startSandbox();
  expect((await post(`${url}/bot${second}/getMe`, "")).status).toBe(401);
  expect((await fetch(`${url}/file/bot${second}/photos/file_0.jpg`)).status).toBe(401);
  expect((await fetch(`${url}/file/bot${sandboxToken}/photos/file_0.jpg`)).status).toBe(404);
});
