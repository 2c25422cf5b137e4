import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { sandboxToken } from "../../sandbox/sandbox.ts";
import { exchangeBytes, post, startConversation, startSandbox } from "./bot-client.ts";

const notFound = { ok: false, error_code: 404, description: "Not Found" };

test.for([
  { title: "a path beside the bots", path: "/nonsense", body: notFound },
  { title: "a token without a slash after it", path: `/bot${sandboxToken}`, body: notFound },
  {
    title: "an unknown method",
    path: `/bot${sandboxToken}/fly`,
    body: { ...notFound, description: "Not Found: method not found" },
  },
  {
    title: "no method",
    path: `/bot${sandboxToken}/`,
    body: { ...notFound, description: "Not Found: method not found" },
  },
  {
    title: "a wrong token",
    path: `/bot1:${"x".repeat(35)}/getMe`,
    body: { ok: false, error_code: 401, description: "Unauthorized" },
  },
])("$title is refused", async ({ path, body }) => {
  const { url } = await startSandbox();
  const answer = await post(url + path, "{}");
  expect(answer.status).toBe(body.error_code);
  expect(answer.body).toEqual(body);
});

test.for([
  {
    token: "0123:abcdefghijklmnopqrstuvwx",
    status: 401,
    text: "Unauthorized: invalid token specified",
  },
  { token: "nocolon", status: 401, text: "Unauthorized: invalid token specified" },
  { token: `1:${"x".repeat(90)}`, status: 401, text: "Unauthorized: invalid token specified" },
  {
    token: "abc:abcdefghijklmnopqrstuvwx",
    status: 421,
    text: "Misdirected Request: unallowed token specified",
  },
  {
    token: "-5:abcdefghijklmnopqrstuvwx",
    status: 401,
    text: "Unauthorized: invalid token specified",
  },
  { token: "5:short", status: 401, text: "Unauthorized" },
  { token: "5:abcdefghijklmnopqrstuv!x", status: 401, text: "Unauthorized" },
])(
  "the malformed token $token is a 404 in the cloud and $status on a server",
  async ({ token, status, text }) => {
    const cloud = await startSandbox();
    expect((await cloud.call("getMe", {}, token)).body).toEqual(notFound);
    const server = await startSandbox({ malformedTokens: "server-401" });
    expect((await server.call("getMe", {}, token)).body).toMatchObject({
      error_code: status,
      description: text,
    });
  },
);

test("method names may be spelt in any case, and the token may be escaped", async () => {
  const { url } = await startSandbox();
  const escaped = sandboxToken.replace(":", "%3A");
  expect((await post(`${url}/bot${escaped}/GETme`, "")).body.result.is_bot).toBe(true);
  expect((await post(`${url}/bot${sandboxToken}/?method=getMe`, "")).status).toBe(200);
});

test("an answer has Telegram's form and headers", async () => {
  const { call } = await startConversation();
  const answer = await call("getMe");
  expect(answer.headers).toMatchObject({ "content-type": "application/json" });
  expect(answer.headers["content-length"]).toBe(String(Buffer.byteLength(answer.text)));
  expect(Object.keys(answer.body)).toEqual(["ok", "result"]);
});

test("every 429 says when to come back, in the body and in a header", async () => {
  const { control, call } = await startConversation();
  control.addFault({ match: "*", fault: { kind: "error", status: 429, retryAfterS: 7 } });
  const answer = await call("getMe");
  expect(answer.headers["retry-after"]).toBe("7");
  expect(answer.body).toEqual({
    ok: false,
    error_code: 429,
    description: "Too Many Requests: retry after 7",
    parameters: { retry_after: 7 },
  });
});

test.for([
  { title: "PUT", bytes: `PUT /bot${sandboxToken}/getMe HTTP/1.1\r\nHost: x\r\n\r\n`, status: 501 },
  {
    title: "HEAD",
    bytes: `HEAD /bot${sandboxToken}/getMe HTTP/1.1\r\nHost: x\r\n\r\n`,
    status: 501,
  },
  { title: "CONNECT", bytes: "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", status: 501 },
  { title: "an invented verb", bytes: "FLY / HTTP/1.1\r\nHost: x\r\n\r\n", status: 501 },
  { title: "a request line that is none", bytes: "hello there\r\n\r\n", status: [400, 501] },
  { title: "a wrong version", bytes: "GET / HTTP/9.9\r\n\r\n", status: [400, 505] },
  {
    title: "headers beyond 256 KiB",
    bytes: `GET /bot${sandboxToken}/getMe HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(300_000)}\r\n\r\n`,
    status: 431,
  },
  {
    title: "an unknown transfer encoding",
    bytes: `POST /bot${sandboxToken}/getMe HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zip\r\n\r\n`,
    status: [400, 501],
  },
  {
    title: "an unknown content encoding",
    bytes: `POST /bot${sandboxToken}/getMe HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}`,
    status: 415,
  },
  {
    title: "a broken gzip body",
    bytes: `POST /bot${sandboxToken}/getMe HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}`,
    status: 400,
  },
  {
    title: "a bad multipart body",
    bytes: `POST /bot${sandboxToken}/getMe HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data\r\nContent-Length: 2\r\n\r\n{}`,
    status: 400,
  },
])("$title is answered with an empty body and a closed connection", async ({ bytes, status }) => {
  const { port, call } = await startSandbox();
  const answer = await exchangeBytes(port, bytes);
  expect([status].flat()).toContain(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]));
  expect(answer).toMatch(/connection: close/i);
  expect(answer.split("\r\n\r\n")[1]).toBe("");
  expect((await call("getMe")).status).toBe(200);
});

test("an absolute address in the request line is told from a path", async () => {
  const { port } = await startSandbox();
  const answer = await exchangeBytes(port, "GET http://example.com/x HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(answer).toContain("Not Found: absolute URI is specified in the Request-Line");
});

test("more than 1 MiB of parameters is 413 without a body", async () => {
  const { call, control } = await startConversation();
  const answer = await call("sendMessage", { chat_id: 42, text: "x".repeat(1_100_000) });
  expect([answer.status, answer.text]).toEqual([413, ""]);
  expect(control.messages({ chatId: 42 })).toEqual([]);
});

test("parameters may come gzipped, chunked, as a form or in the query", async () => {
  const { url, port } = await startConversation();
  const address = `${url}/bot${sandboxToken}/sendMessage`;
  const text = { ok: true, result: { text: "hi" } };
  expect((await post(`${address}?chat_id=42&text=hi`, "")).body).toMatchObject(text);
  expect(
    (await post(address, "chat_id=42&text=hi", "application/x-www-form-urlencoded")).body,
  ).toMatchObject(text);
  const zipped = gzipSync('{"chat_id":"42","text":"hi"}');
  const zippedAnswer = await fetch(address, {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    body: zipped,
  });
  expect(await zippedAnswer.json()).toMatchObject(text);
  const chunked = `POST /bot${sandboxToken}/sendMessage HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1c\r\n{"chat_id":42,"text":"chunk"\r\n1\r\n}\r\n0\r\n\r\n`;
  expect(await exchangeBytes(port, chunked)).toContain('"text":"chunk"');
});

test("two requests sent at once on one connection are answered in order", async () => {
  const { port, control } = await startConversation();
  const one = (text: string) =>
    `GET /bot${sandboxToken}/sendMessage?chat_id=42&text=${text} HTTP/1.1\r\nHost: x\r\n\r\n`;
  const answer = await exchangeBytes(port, one("first") + one("second"));
  expect(answer.indexOf('"text":"first"')).toBeGreaterThan(0);
  expect(answer.indexOf('"text":"second"')).toBeGreaterThan(answer.indexOf('"text":"first"'));
  expect(control.messages({ chatId: 42 })).toHaveLength(2);
});

test("the journal tells how an answer ended and when its client left", async () => {
  const { control, port } = await startConversation({ frozenClock: false });
  await exchangeBytes(port, `GET /bot${sandboxToken}/getMe HTTP/1.1\r\nHost: x\r\n\r\n`);
  await expect
    .poll(() => control.journal()[0])
    .toMatchObject({
      sequence: 1,
      method: "getMe",
      status: 200,
      executed: true,
      cost: 0,
      answerWritten: true,
      clientGoneAfterMs: expect.any(Number),
    });
});

test("the journal is a ring, read page by page", async () => {
  const { control, call } = await startConversation({ journalMax: 8 });
  for (let number = 0; number < 20; number++) await call(number % 2 ? "getMe" : "getMyCommands");
  const sequences = control.journal().map(({ sequence }) => sequence);
  expect(sequences.length).toBeLessThanOrEqual(10);
  expect(sequences.at(-1)).toBe(20);
  expect(control.journal({ after: 17 }).map(({ sequence }) => sequence)).toEqual([18, 19, 20]);
  expect(control.journal({ after: 15, method: "GETME", limit: 1 })[0]?.sequence).toBe(16);
});
