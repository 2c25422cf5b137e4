/**
 * Bot API client: the error or result for each kind of answer, silence and breakage, on real
 * sockets.
 */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { FileGoneError, TelegramError } from "../../../bot/core/errors.ts";
import { Secret } from "../../../bot/core/secret.ts";
import {
  BotApiClient,
  type BotApiClientDeps,
} from "../../../bot/telegram/client/bot-api-client.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { apiAnswer, httpAnswer, startRawServer } from "../../support/raw-server.ts";

const token = "123456:AAtoken-that-must-not-be-seen";
const ok = apiAnswer(200, { ok: true, result: { id: 1 } });
const refusal = (error_code: number, description: string, parameters?: object) =>
  apiAnswer(error_code, { ok: false, error_code, description, ...(parameters && { parameters }) });

function createClient(apiRoot: string, overrides: Partial<BotApiClientDeps> = {}) {
  const clock = new ManualClock();
  const client = new BotApiClient({
    apiRoot,
    clock,
    token: new Secret(token),
    deadlineMs: 1_000,
    connections: 4,
    ...overrides,
  });
  onTestFinished(() => client.close());
  return { client, clock };
}

async function setup(answer: string | ((socket: Socket) => void)) {
  const server = await startRawServer((socket) => {
    if (typeof answer === "string") socket.write(answer);
    else answer(socket);
  });
  return { ...createClient(`http://127.0.0.1:${server.port}`), server };
}

/** Returns the call's error after checking that no part of it contains the token. */
async function failureOf(call: Promise<unknown>): Promise<TelegramError> {
  const error = await call.then(
    (result) => expect.fail(`it gave ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  );
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain("AAtoken");
  expect(error).toBeInstanceOf(TelegramError);
  return error as TelegramError;
}

describe("an answer", () => {
  test.each<[string, string, string, string, object]>([
    [
      "400",
      refusal(400, "Bad Request: message text is empty"),
      "TELEGRAM_REFUSED",
      "refused",
      { status: 400 },
    ],
    ...[
      `can't parse entities: Unsupported start tag "x" at byte offset 0`,
      "can't parse entities: Can't find end of Bold entity at byte offset 3",
      "message is too long",
      "message caption is too long",
      "text is too long",
      "MEDIA_CAPTION_TOO_LONG",
      "unsupported parse_mode",
      "ENTITY_BOUNDS_INVALID",
    ].map((text): [string, string, string, string, object] => [
      text,
      refusal(400, `Bad Request: ${text}`),
      "TELEGRAM_FORM_REFUSED",
      "refused",
      {},
    ]),
    ["401", refusal(401, "Unauthorized"), "TELEGRAM_UNAUTHORIZED", "refused", {}],
    [
      "404 for a malformed token",
      refusal(404, "Not Found"),
      "TELEGRAM_UNAUTHORIZED",
      "refused",
      {},
    ],
    [
      "404 for a method",
      refusal(404, "Not Found: method not found"),
      "TELEGRAM_REFUSED",
      "refused",
      {},
    ],
    [
      "blocked",
      refusal(403, "Forbidden: bot was blocked by the user"),
      "TELEGRAM_CHAT_GONE",
      "refused",
      { reason: "blocked" },
    ],
    [
      "deactivated",
      refusal(403, "Forbidden: user is deactivated"),
      "TELEGRAM_CHAT_GONE",
      "refused",
      { reason: "deactivated" },
    ],
    [
      "never started",
      refusal(403, "Forbidden: bot can't initiate conversation with a user"),
      "TELEGRAM_CHAT_GONE",
      "refused",
      { reason: "not-started" },
    ],
    [
      "kicked",
      refusal(403, "Forbidden: bot was kicked from the group chat"),
      "TELEGRAM_CHAT_GONE",
      "refused",
      { reason: "kicked" },
    ],
    [
      "chat not found",
      refusal(400, "Bad Request: chat not found"),
      "TELEGRAM_CHAT_GONE",
      "refused",
      { reason: "not-found" },
    ],
    [
      "migrated",
      refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", {
        migrate_to_chat_id: -100123,
      }),
      "TELEGRAM_CHAT_MIGRATED",
      "refused",
      { migratedToChatId: -100123 },
    ],
    [
      "not modified",
      refusal(400, "Bad Request: message is not modified: specified new message content…"),
      "TELEGRAM_ALREADY_DONE",
      "refused",
      {},
    ],
    [
      "already deleted",
      refusal(400, "Bad Request: message to delete not found"),
      "TELEGRAM_ALREADY_DONE",
      "refused",
      {},
    ],
    [
      "too old",
      refusal(
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
      ),
      "TELEGRAM_QUERY_TOO_OLD",
      "refused",
      {},
    ],
    [
      "429",
      refusal(429, "Too Many Requests: retry after 7", { retry_after: 7 }),
      "TELEGRAM_RATE_LIMITED",
      "refused",
      { retryAfterMs: 7_000 },
    ],
    [
      "429 of a proxy",
      httpAnswer(429, "<html>", "retry-after: 3\r\n"),
      "TELEGRAM_RATE_LIMITED",
      "refused",
      { retryAfterMs: 3_000 },
    ],
    ["500", refusal(500, "Internal Server Error"), "TELEGRAM_UNKNOWN_OUTCOME", "unknown", {}],
    [
      "502 as a page",
      httpAnswer(502, "<html>Bad Gateway</html>"),
      "TELEGRAM_UNKNOWN_OUTCOME",
      "unknown",
      {},
    ],
    [
      "403 as a page",
      httpAnswer(403, "<html>Forbidden by the firewall</html>"),
      "TELEGRAM_NOT_SENT",
      "not-sent",
      {},
    ],
    ["413 without a body", httpAnswer(413, ""), "TELEGRAM_REFUSED", "refused", { status: 413 }],
    ["421", refusal(421, "Misdirected Request"), "TELEGRAM_NOT_SENT", "not-sent", {}],
    [
      "200 that is not JSON",
      httpAnswer(200, "<html>login</html>"),
      "TELEGRAM_UNKNOWN_OUTCOME",
      "unknown",
      {},
    ],
    [
      "200 with JSON of another kind",
      httpAnswer(200, "[1]"),
      "TELEGRAM_UNKNOWN_OUTCOME",
      "unknown",
      {},
    ],
    ["200 without a body", httpAnswer(200, ""), "TELEGRAM_UNKNOWN_OUTCOME", "unknown", {}],
    [
      "bytes that are not HTTP",
      "SSH-2.0-OpenSSH_9.6\r\n",
      "TELEGRAM_UNKNOWN_OUTCOME",
      "unknown",
      {},
    ],
  ])("%s", async (_, answer, code, effect, fields) => {
    const { client } = await setup(answer);
    const error = await failureOf(client.call("sendMessage", { chat_id: 1 }));
    expect({ ...error, effect: error.effect }).toMatchObject({ code, effect, ...fields });
  });

  test.each([
    [
      "another poller",
      "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
      "other-poller",
    ],
    [
      "a webhook",
      "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      "webhook",
    ],
  ])("409 because of %s", async (_, description, reason) => {
    const { client } = await setup(refusal(409, description));
    const error = await failureOf(client.call("getUpdates", {}));
    expect(error).toMatchObject({ code: "TELEGRAM_CONFLICT", reason });
  });

  test("is quoted without any part of what was sent", async () => {
    const { client } = await setup(
      refusal(400, 'Bad Request: unsupported start tag "my secret" at byte 3'),
    );
    const error = await failureOf(client.call("sendMessage", {}));
    expect(error.message).not.toContain("secret");
  });

  test.each([301, 302, 307, 308])(
    "%i is not followed, so the token goes nowhere else",
    async (status) => {
      const elsewhere = await startRawServer((socket) => socket.write(ok));
      const location = `location: http://127.0.0.1:${elsewhere.port}/bot${token}/sendMessage\r\n`;
      const { client, server } = await setup(httpAnswer(status, "", location));
      await failureOf(client.call("sendMessage", { chat_id: 1 }));
      expect(server.requests).toHaveLength(1);
      expect(elsewhere.requests).toEqual([]);
    },
  );

  test("far larger than Telegram's is not read to the end", async () => {
    const { client } = await setup((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      const chunk = `100000\r\n${"x".repeat(0x100000)}\r\n`;
      for (let megabyte = 0; megabyte < 34; megabyte++) socket.write(chunk);
    });
    expect(await failureOf(client.call("getUpdates", {}))).toMatchObject({ effect: "unknown" });
  });
});

describe("no answer", () => {
  test.each<[string, (socket: Socket) => void]>([
    ["a connection closed at once", (socket) => socket.end()],
    ["a connection reset", (socket) => socket.resetAndDestroy()],
    [
      "a body cut short",
      (socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"ok":true`),
    ],
    [
      "a chunked body cut short",
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"ok"'),
    ],
  ])("%s: the call may have been executed", async (_, act) => {
    const { client } = await setup(act);
    expect(await failureOf(client.call("sendMessage", {}))).toMatchObject({ effect: "unknown" });
  });

  test.each([
    ["before the headers", ""],
    ["after the headers", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"],
  ])("a server that hangs %s is given up at the deadline", async (_, start) => {
    const { client, clock, server } = await setup((socket) => void socket.write(start));
    const failed = failureOf(client.call("sendMessage", {}));
    await expect.poll(() => server.requests.length).toBe(1);
    await clock.advance(1_000);
    expect(await failed).toMatchObject({ effect: "unknown" });
    expect(clock.pending).toBe(0);
  });

  test("an aborted call may have been executed, even one that never began", async () => {
    const { client, server } = await setup(() => {});
    const over = new AbortController();
    const failed = failureOf(client.call("sendMessage", {}, { signal: over.signal }));
    await expect.poll(() => server.requests.length).toBe(1);
    over.abort();
    expect(await failed).toMatchObject({ effect: "unknown" });
    const late = client.call("sendMessage", {}, { signal: AbortSignal.abort() });
    expect(await failureOf(late)).toMatchObject({ code: "TELEGRAM_UNKNOWN_OUTCOME" });
  });

  test("a refused connection means that the call was not sent", async () => {
    const { client } = createClient("http://127.0.0.1:1");
    expect(await failureOf(client.call("sendMessage", {}))).toMatchObject({ effect: "not-sent" });
  });

  test("an unknown host name means that the call was not sent", async () => {
    const { client } = createClient("http://telegram.invalid");
    expect(await failureOf(client.call("sendMessage", {}))).toMatchObject({ effect: "not-sent" });
  });

  test("a server without TLS means that the call was not sent", async () => {
    const plain = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    plain.listen(0, "127.0.0.1");
    await once(plain, "listening");
    onTestFinished(() => void plain.close());
    const { port } = plain.address() as AddressInfo;
    const { client } = createClient(`https://127.0.0.1:${port}`);
    expect(await failureOf(client.call("getMe", {}))).toMatchObject({ effect: "not-sent" });
  });
});

test("it calls under the root's path, with the token, in JSON", async () => {
  const server = await startRawServer((socket) => void socket.write(ok));
  for (const root of ["/prefix/", "/prefix", ""]) {
    const { client } = createClient(`http://127.0.0.1:${server.port}${root}`);
    expect(await client.call("getMe", { a: [1], b: "ü" })).toEqual({ id: 1 });
  }
  const [first, second, third] = server.requests;
  expect(first?.line).toBe(`POST /prefix/bot${token}/getMe HTTP/1.1`);
  expect(second?.line).toBe(first?.line);
  expect(third?.line).toBe(`POST /bot${token}/getMe HTTP/1.1`);
  expect(JSON.parse(Buffer.from(first?.body ?? "", "latin1").toString())).toEqual({
    a: [1],
    b: "ü",
  });
});

test("connections are reused for the next call", async () => {
  const ports = new Set<number | undefined>();
  const { client } = await setup((socket) => {
    ports.add(socket.remotePort);
    socket.write(ok);
  });
  for (let call = 0; call < 5; call++) await client.call("getMe", {});
  // The second call may begin before the first call's connection is free again.
  expect(ports.size).toBeLessThanOrEqual(2);
});

function withFiles(content: () => AsyncIterable<Uint8Array>): Partial<BotApiClientDeps> {
  return {
    files: {
      open: async ({ name }) => {
        if (name !== "there") throw new FileGoneError(name);
        return content();
      },
    },
  };
}

const stored = (bytes: number, name = "there") => ({ file: { name, key: "", bytes } });

test("stored files are uploaded, including those inside media, with their length", async () => {
  const server = await startRawServer((socket) => socket.write(ok));
  const { client } = createClient(
    `http://127.0.0.1:${server.port}`,
    withFiles(async function* () {
      yield Buffer.from("contents of ");
      yield Buffer.from("the file");
    }),
  );
  await client.call("sendMediaGroup", {
    chat_id: 5,
    media: [
      { type: "photo", media: { ...stored(20), filename: "a.jpg" } },
      { type: "photo", media: "id-of-a-file" },
    ],
  });
  const body = server.requests[0]?.body ?? "";
  expect(body).toContain('name="chat_id"\r\n\r\n5');
  expect(body).toContain(
    '[{"type":"photo","media":"attach://file0"},{"type":"photo","media":"id-of-a-file"}]',
  );
  expect(body).toMatch(/name="file0"; filename="a.jpg"/);
  expect(body).toContain("contents of the file");
  expect(server.requests[0]?.head.toLowerCase()).toContain(`content-length: ${body.length}`);
  const document = { ...stored(20), filename: 'a "b"\n.txt' };
  await client.call("sendDocument", { chat_id: 5, document });
  expect(server.requests[1]?.body).toContain('name="document"; filename="a %22b%22%0A.txt"');
});

test("a small file is uploaded from the call itself", async () => {
  const { client, server } = await setup(ok);
  const base64 = Buffer.from('{"name":"小明"}').toString("base64");
  await client.call("sendDocument", { chat_id: 5, document: { base64, filename: "data.json" } });
  const body = Buffer.from(server.requests[0]?.body ?? "", "latin1").toString();
  expect(body).toContain('name="document"; filename="data.json"');
  expect(body).toContain('{"name":"小明"}');
});

test("a file that is gone costs no request", async () => {
  const server = await startRawServer((socket) => socket.write(ok));
  const files = withFiles(async function* () {});
  const { client } = createClient(`http://127.0.0.1:${server.port}`, files);
  const error = await failureOf(client.call("sendDocument", { document: stored(1, "gone") }));
  expect(error).toMatchObject({ code: "FILE_GONE", effect: "refused" });
  expect(server.requests).toEqual([]);
});

test("a file that turns out to be damaged while it is uploaded is gone as well", async () => {
  const server = await startRawServer(() => {});
  const { client } = createClient(
    `http://127.0.0.1:${server.port}`,
    withFiles(async function* () {
      yield Buffer.alloc(100_000);
      throw new FileGoneError("there");
    }),
  );
  const error = await failureOf(client.call("sendDocument", { document: stored(200_000) }));
  expect(error).toMatchObject({ code: "FILE_GONE" });
});

describe("a proxy", () => {
  test("carries the calls and gets our credentials", async () => {
    const api = await startRawServer((socket) => void socket.write(ok));
    const proxy = await startRawServer((socket, { line }) => {
      expect(line).toBe("CONNECT telegram.test:80 HTTP/1.1");
      const tunnel = connect(api.port, "127.0.0.1");
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.removeAllListeners("data");
      socket.pipe(tunnel).pipe(socket);
    });
    const httpsProxy = new Secret(`http://me:pass%20word@127.0.0.1:${proxy.port}`);
    const { client } = createClient("http://telegram.test", { httpsProxy });
    expect(await client.call("getMe", {})).toEqual({ id: 1 });
    const expected = Buffer.from("me:pass word").toString("base64");
    expect(proxy.requests[0]?.head).toContain(`Basic ${expected}`);
  });

  test("that refuses means that the call was not sent, and its password is not in the error", async () => {
    const proxy = await startRawServer((socket) => void socket.end(httpAnswer(407, "")));
    const httpsProxy = new Secret(`http://me:password@127.0.0.1:${proxy.port}`);
    const { client } = createClient("https://telegram.test", { httpsProxy });
    const error = await failureOf(client.call("getMe", {}));
    expect(error).toMatchObject({ effect: "not-sent" });
    expect(inspect(error, { depth: 20 })).not.toContain("password");
  });

  test("is not used for loopback addresses", async () => {
    const { server } = await setup(ok);
    const httpsProxy = new Secret("http://127.0.0.1:1");
    const { client } = createClient(`http://127.0.0.1:${server.port}`, { httpsProxy });
    expect(await client.call("getMe", {})).toEqual({ id: 1 });
  });
});
