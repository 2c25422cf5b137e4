/** Whatever is sent to the API, it answers or hangs up; it never fails and never ends. */
import { connect } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { routeTable } from "../../bot/api/route-table.ts";
import { operateToken, setupApi } from "./api-under-test.ts";

const seed = 20261125;
const paths = routeTable.map(({ path }) =>
  path.replace(":id", "7").replace("panels/:name", "panels/sales").replace(":name", "uplot.js"),
);

const strangeText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("../../etc/passwd", "%00", "%", "%ff", "__proto__", "constructor", "\\", "//"),
);
const path = fc.oneof(
  fc.constantFrom(...paths),
  fc.tuple(fc.constantFrom(...paths), strangeText).map(([start, end]) => start + end),
  fc.tuple(fc.constantFrom(...paths), fc.webQueryParameters()).map((parts) => parts.join("?")),
  strangeText.map((text) => `/api/dead-letters/${text}`),
  strangeText.map((text) => `/assets/${text}`),
  strangeText.map((text) => `/api/panels/${text}`),
  fc.webUrl(),
  fc.constantFrom("*", "/", "//", "/..", "/api/../api/health", "?", "/?a[b]=c&a=1&a=2"),
);
const method = fc.oneof(
  fc.constantFrom("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"),
  fc.constantFrom("PROPFIND", "M-SEARCH", "BREW", "get", "G", "QUERY"),
);
const body = fc.oneof(
  fc.json(),
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constantFrom(
    "",
    "{",
    "[".repeat(15_000),
    '{"__proto__":{"a":1},"reason":"x"}',
    '{"ids":[1,2]}',
    '{"filter":{}}',
    '{"pool":"sending"}',
    '{"level":"info"}',
    '{"component":"constructor"}',
    '{"reason":"\\u0000\\ud800"}',
    "\u0000\u0001",
  ),
);
const header = fc.oneof(
  fc.tuple(
    fc.constantFrom("Accept", "Content-Type", "Content-Encoding", "Expect", "Range", "Upgrade"),
    fc.constantFrom(
      "",
      "*/*",
      ";",
      "gzip",
      "text/html;q=x",
      "bytes=0-1",
      "websocket",
      "a/b/c",
      "100-continue",
    ),
  ),
  fc.tuple(
    fc.constantFrom("X-Forwarded-For", "Origin", "Cookie", "Last-Event-ID"),
    fc.string({ maxLength: 60 }).map((text) => text.replace(/[^ -~]/g, "")),
  ),
  fc.constantFrom(
    ["Transfer-Encoding", "chunked"],
    ["Content-Length", "-1"],
    ["Content-Length", "99999999999999999999"],
    ["Host", "evil.example"],
    ["Connection", "upgrade"],
    ["If-None-Match", "*"],
  ) as fc.Arbitrary<[string, string]>,
);

/** Sends these bytes and hangs up a little later. @returns what came back. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const done = () => {
      socket.destroy();
      resolve(text);
    };
    // The server must not wait for the rest of a request that is never sent.
    socket.setTimeout(60, done);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (/\r\n\r\n/.test(text)) done();
    });
    socket.on("error", done);
    socket.on("close", done);
  });
}

function statusOf(answer: string): number | undefined {
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(answer) ?? [];
  return status === undefined ? undefined : Number(status);
}

function mayAnswer(answer: string): boolean {
  const status = statusOf(answer);
  return answer === "" || (status !== undefined && status !== 500 && status < 600);
}

test("no request in the form of HTTP is answered with 500", async () => {
  const { call, events, port } = await setupApi();
  const seen = new Set<number>();

  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      fc.array(header, { maxLength: 4 }),
      body,
      async (verb, where, headers, sent) => {
        const bytes = Buffer.from(sent);
        const lines = [
          // What would end the line early is for the next test.
          `${verb} ${where.replace(/[^!-~\u0080-\uffff]/g, "")} HTTP/1.1`,
          `Host: localhost:${port}`,
          // Others are turned away before they can do harm, and soon not listened to at all.
          `Authorization: Bearer ${operateToken}`,
          ...headers.map(([name, value]) => `${name}: ${value}`),
          `Content-Length: ${bytes.length}`,
          "Connection: close",
        ];
        const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
        const answer = await exchange(port, Buffer.concat([head, bytes]));
        expect(mayAnswer(answer), answer).toBe(true);
        seen.add(statusOf(answer) ?? 0);
      },
    ),
    { numRuns: 400, seed },
  );
  // It has been everywhere.
  for (const status of [200, 400, 404, 405]) expect(seen).toContain(status);

  expect(events.filter(({ type }) => type === "api.failed")).toEqual([]);
  expect((await call()).status).toBe(200);
});

test("no bytes at all make it fail", async () => {
  const { call, events, port } = await setupApi();
  const start = fc.constantFrom(
    "",
    "GET / HTTP/1.1\r\n",
    "POST /api/restart HTTP/1.1\r\nHost: localhost:",
  );
  const rest = fc.uint8Array({ maxLength: 300 });

  await fc.assert(
    fc.asyncProperty(start, rest, async (text, bytes) => {
      const answer = await exchange(port, Buffer.concat([Buffer.from(text), bytes]));
      expect(mayAnswer(answer), answer).toBe(true);
    }),
    { numRuns: 150, seed },
  );

  expect(events.filter(({ type }) => type === "api.failed")).toEqual([]);
  expect((await call()).status).toBe(200);
});

test.each(routeTable.filter(({ body: schema }) => schema).map((row) => row.path))(
  "%s takes any JSON with the right token, without failing",
  async (where) => {
    const { call, events } = await setupApi();

    await fc.assert(
      fc.asyncProperty(fc.json(), async (text) => {
        const { status } = await call({
          method: "POST",
          path: where,
          token: operateToken,
          body: text,
        });
        expect([200, 400, 404, 409, 413, 429]).toContain(status);
      }),
      { numRuns: 40, seed },
    );

    expect(events.filter(({ type }) => type === "api.failed")).toEqual([]);
  },
);
