/** Who gets in, and what is written down of who does not. */
import { expect, test } from "vitest";
import { routeTable } from "../../bot/api/route-table.ts";
import { Secret } from "../../bot/core/secret.ts";
import { operateToken, readToken, setupApi, timestamp } from "./api-under-test.ts";

const pause = { path: "/api/message-queue/pause", method: "POST", body: '{"pool":"sending"}' };
const anywhere = { host: "0.0.0.0" };

/** An address for every row, so that a new one is tried, too. */
const rows = routeTable.map((row) => ({
  method: row.method === "get" ? "HEAD" : row.method.toUpperCase(),
  path: row.path.replace(":id", "7").replace(":name", "uplot.js"),
  access: row.access,
}));

test.each(rows.filter(({ access }) => access === "operate"))(
  "$method $path changes something, and needs the token for that",
  async ({ method, path }) => {
    const { asked, call, events } = await setupApi();

    expect((await call({ method, path })).status).toBe(401);
    expect((await call({ method, path, token: readToken })).status).toBe(403);
    expect((await call({ method, path, token: "wrong-wrong-wrong" })).status).toBe(401);
    expect(asked).toEqual([]);
    expect(events).toMatchObject([
      { type: "api.refused", path, why: "no token" },
      { type: "api.refused", path, why: "a token for reading" },
      { type: "api.refused", path, why: "wrong token" },
    ]);
  },
);

test.each(rows.filter(({ access }) => access === "read"))(
  "$method $path is free to read on this machine, and nowhere else",
  async ({ method, path }) => {
    const here = await setupApi();
    const elsewhere = await setupApi(anywhere);

    expect((await here.call({ method, path })).status).not.toBe(401);
    expect((await elsewhere.call({ method, path })).status).toBe(401);
    expect((await elsewhere.call({ method, path, token: "wrong-wrong" })).status).toBe(401);
    expect((await elsewhere.call({ method, path, token: readToken })).status).not.toBe(401);
    expect((await elsewhere.call({ method, path, token: operateToken })).status).not.toBe(401);
  },
);

test.each(rows.filter(({ access }) => access === "anyone"))(
  "$method $path is for anyone",
  async ({ method, path }) => {
    const { call } = await setupApi(anywhere);

    expect((await call({ method, path })).status).toBe(200);
    expect((await call({ method, path, token: "not even looked at" })).status).toBe(200);
  },
);

test("from elsewhere, health is one word without a token, and everything with one", async () => {
  const { call } = await setupApi(anywhere);

  expect((await call()).json).toEqual({ success: true, data: { status: "healthy" }, timestamp });
  expect((await call({ token: readToken })).json).toMatchObject({ data: { checks: {} } });
  expect((await call({ token: "wrong-wrong" })).status).toBe(401);
});

test("behind a proxy on this machine, reading needs a token", async () => {
  const named = await setupApi({ hostNames: ["bot.example"] });
  const { call } = await setupApi();
  const path = "/api/status";

  expect((await named.call({ path, host: "bot.example" })).status).toBe(401);
  expect((await named.call({ path, host: "bot.example", token: readToken })).status).toBe(200);
  for (const name of ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"]) {
    expect((await call({ path, headers: { [name]: "192.0.2.1" } })).status).toBe(401);
  }
});

test("either of two tokens opens, and the audit line says which", async () => {
  const operate = [new Secret("the-old-token"), new Secret("the-new-token")];
  const { call, events } = await setupApi({ tokens: () => ({ operate, read: [] }) });

  await call({ ...pause, token: "the-old-token" });
  await call({ ...pause, token: "the-new-token" });

  expect(events).toMatchObject([
    { type: "api.change-requested", by: "operate 1" },
    { type: "api.change-requested", by: "operate 2" },
  ]);
});

test("a change is on record with what was changed and from where, never with the token", async () => {
  const { call, events } = await setupApi();

  await call({ ...pause, token: operateToken });

  expect(events).toEqual([
    {
      type: "api.change-requested",
      action: "POST /api/message-queue/pause",
      address: "127.0.0.1",
      by: "operate 1",
      facts: { pool: "sending" },
    },
  ]);
  expect(JSON.stringify(events)).not.toContain(operateToken);
});

test("without any token nothing can be changed, and the answer says what to do", async () => {
  const { call } = await setupApi({ tokens: () => ({ operate: [], read: [] }) });

  const answer = await call({ ...pause, token: "whatever-it-is" });

  expect(answer.status).toBe(403);
  expect(answer.json).toMatchObject({
    error: { code: "OPERATING_DISABLED", hint: expect.stringContaining("RESTART_TOKEN") },
  });
});

test.each([
  operateToken,
  `Basic ${operateToken}`,
  `Bearer`,
  `Bearer ${operateToken} x`,
  `Bearer ${operateToken}x`,
  `Bearer ${operateToken.slice(0, -1)}`,
  `Bearer ${operateToken.toUpperCase()}`,
  "Bearer undefined",
])("%j is no token", async (authorization) => {
  const { call } = await setupApi();

  const answer = await call({ ...pause, headers: { authorization } });

  expect(answer.status).toBe(401);
  expect(answer.headers["www-authenticate"]).toBe("Bearer");
});

test("who guesses is not listened to for a while, right token or not; reading goes on", async () => {
  const { asked, call, events } = await setupApi();
  for (let guess = 0; guess < 20; guess++) {
    expect((await call({ ...pause, token: `guess-number-${guess}` })).status).toBe(401);
  }

  const answer = await call({ ...pause, token: operateToken });

  expect(answer.status).toBe(429);
  expect(answer.headers["retry-after"]).toBe("60");
  expect(asked).toEqual([]);
  // Bounded, too: what is not listened to is not written down.
  expect(events).toHaveLength(20);
  expect((await call()).status).toBe(200);
});

test("right tokens are not counted as guesses", async () => {
  const { call } = await setupApi();

  for (let time = 0; time < 30; time++) {
    expect((await call({ ...pause, token: operateToken })).status).toBe(200);
  }
});

test("a storm of health checks is answered", async () => {
  const { port } = await setupApi();
  const statuses: number[] = [];
  const ask = async () => {
    for (let time = 0; time < 25; time++) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/health`);
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
  };

  await Promise.all(Array.from({ length: 32 }, ask));

  expect(statuses).toEqual(Array(800).fill(200));
});

test.each(["bot.example", "bot.example:8443", "192.168.1.5", "10.0.0.1:3001", "[fe80::1]:3001"])(
  "where others may reach it, it answers as %s",
  async (host) => {
    const { call } = await setupApi({
      ...anywhere,
      hostNames: ["bot.example", "bot.example:8443"],
    });

    expect((await call({ path: "/api/live", host })).status).toBe(200);
  },
);

test.each(["evil.example", "bot.example.evil", "bot.example:1", "1.2.3.4.evil.example", "1.2.3"])(
  "where others may reach it, it does not answer as %j",
  async (host) => {
    const { call } = await setupApi({ ...anywhere, hostNames: ["bot.example"] });

    const answer = await call({ path: "/api/live", host });

    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({
      error: { hint: expect.stringContaining("MONITORING_HOST_NAMES") },
    });
  },
);
