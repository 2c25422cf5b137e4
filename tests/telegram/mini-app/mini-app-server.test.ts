/** Mini App server: what it answers to whom, and what it never reads. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { StorageFullError } from "../../../bot/core/errors.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Secret } from "../../../bot/core/secret.ts";
import { InitDataCheck } from "../../../bot/telegram/mini-app/init-data.ts";
import { MiniAppListener } from "../../../bot/telegram/mini-app/mini-app-listener.ts";
import type {
  ActState,
  MiniAppRequests,
} from "../../../bot/telegram/mini-app/mini-app-requests.ts";
import {
  createMiniAppServer,
  type MiniAppServerDeps,
} from "../../../bot/telegram/mini-app/mini-app-server.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { fieldsOf, publicKey, signed, tokenText } from "./signed-init-data.ts";

const requestId = "a-request-id-0123";

/** Requests whose acts end as a test says. */
function requestsWith(state: ActState | Error): { calls: unknown[]; requests: MiniAppRequests } {
  const calls: unknown[] = [];
  const end = async (...call: unknown[]) => {
    calls.push(call.slice(0, 4));
    if (state instanceof Error) throw state;
    return state;
  };
  const requests = {
    asks: (name: string) => name === "shop",
    acts: (name: string) => name === "buy",
    ask: async (...call: unknown[]) => {
      await end(...call);
      return { asked: call[2] };
    },
    act: end,
    stateOf: end,
  };
  return { calls, requests: requests as unknown as MiniAppRequests };
}

async function setup(
  state: ActState | Error = { state: "answered", answer: "done" },
  overrides: Partial<MiniAppServerDeps> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "index.html"), "<!doctype html>the page");
  writeFileSync(join(folder, "page.js"), "// the script");
  writeFileSync(join(folder, "secret.env"), "SECRET=1");
  mkdirSync(join(folder, "inner.js"));
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const { calls, requests } = requestsWith(state);
  const answer = createMiniAppServer({
    clock,
    publish: (event) => events.push(event),
    initData: new InitDataCheck({
      token: new Secret(tokenText),
      publicKeys: [publicKey],
      ageMaxMs: 3_600_000,
    }),
    requests,
    admit: () => true,
    files: pathToFileURL(`${folder}/`),
    frameAncestors: ["https://*.telegram.org"],
    ...overrides,
  });
  const listener = new MiniAppListener({ clock, host: "127.0.0.1", port: 0, answer });
  await listener.start();
  onTestFinished(() => listener.stop());
  const initData = signed(fieldsOf({ id: 7, first_name: "Ada" }, clock.epochMs() / 1_000));
  const headers = { authorization: `tma ${initData}`, "content-type": "application/json" };
  const origin = `http://127.0.0.1:${listener.port}`;
  const get = (path: string, more: RequestInit = {}) =>
    fetch(`${origin}${path}`, { headers, ...more });
  const post = (path: string, body: string, more: RequestInit = {}) =>
    get(path, { method: "POST", body, ...more });
  return { calls, clock, events, get, listener, post };
}

test.each<[ActState, number]>([
  [{ state: "answered", answer: { a: 1 } }, 200],
  [{ state: "refused" }, 200],
  [{ state: "failed" }, 200],
  [{ state: "waiting" }, 202],
  [{ state: "unknown" }, 404],
  [{ state: "busy" }, 503],
])("an act that is %j is told with %i", async (state, status) => {
  const { calls, get, post } = await setup(state);
  const answer = await post(`/app/act/buy/${requestId}`, '{"sku":"x"}');
  expect(answer.status).toBe(status);
  expect(await answer.json()).toEqual(state);
  expect(answer.headers.get("retry-after")).toBe(status === 503 ? "2" : null);
  const from = { id: 7, is_bot: false, first_name: "Ada" };
  expect(calls).toEqual([[from, "buy", requestId, { sku: "x" }]]);
  expect((await get(`/app/act/${requestId}`)).status).toBe(status);
});

test("a question is answered", async () => {
  const { post } = await setup();
  expect(await (await post("/app/ask/shop", '{"page":1}')).json()).toEqual({ asked: { page: 1 } });
  expect(await (await post("/app/ask/shop", "null")).json()).toEqual({ asked: null });
});

test.each([
  ["a question of another name", "/app/ask/toString", "null", 404],
  ["an act of another name", `/app/act/sell/${requestId}`, "null", 404],
  ["an id that is too short", "/app/act/buy/short", "null", 400],
  ["an id with odd characters", "/app/act/buy/0123456789%2f012345", "null", 400],
  ["a body that is not JSON", "/app/ask/shop", "{", 400],
  ["a body that is too long", "/app/ask/shop", JSON.stringify("x".repeat(17_000)), 413],
  ["a path of nothing", "/app/other/thing", "null", 404],
  ["a path outside", "/other", "null", 404],
])("%s is refused", async (_, path, body, status) => {
  const { calls, post } = await setup();
  const answer = await post(path, body);
  expect(answer.status).toBe(status);
  expect(await answer.json()).toHaveProperty("error");
  expect(calls).toEqual([]);
});

test.each([
  ["nobody", {}, "INIT_DATA_MISSING", "missing"],
  ["another scheme", { authorization: "Bearer x" }, "INIT_DATA_MISSING", "missing"],
  ["invented init data", { authorization: "tma user=1&hash=2" }, "INIT_DATA_FORGED", "forged"],
])(
  "%s can neither ask nor act, and it is reported without a word of theirs",
  async (_, headers, error, reason) => {
    const { calls, events, get, post } = await setup();
    for (const answer of [
      await post("/app/ask/shop", "null", { headers }),
      await post(`/app/act/buy/${requestId}`, "null", { headers }),
      await get(`/app/act/${requestId}`, { headers }),
    ]) {
      expect(answer.status).toBe(401);
      expect(await answer.json()).toEqual({ error });
    }
    expect(calls).toEqual([]);
    expect(events).toEqual(Array.from({ length: 3 }, () => ({ type: "mini-app.refused", reason })));
  },
);

test("a body of somebody unknown is not read", async () => {
  const { listener } = await setup();
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const headers = { "content-length": 10_000_000 };
    const path = "/app/ask/shop";
    const sent = request({ host: "127.0.0.1", port: listener.port, method: "POST", path, headers });
    sent.on("response", (response) => {
      resolve(response.statusCode);
      sent.destroy();
    });
    sent.on("error", reject);
    sent.write("{");
  });
  expect(status).toBe(401);
});

test("a page that was opened too long ago has to be opened again", async () => {
  const { clock, post } = await setup();
  await clock.advance(3_601_000);
  const answer = await post("/app/ask/shop", "null");
  expect([answer.status, await answer.json()]).toEqual([401, { error: "INIT_DATA_EXPIRED" }]);
});

test("a person who asks too often is told to wait", async () => {
  const { calls, post } = await setup(undefined, { admit: (userId) => userId !== 7 });
  const answer = await post("/app/ask/shop", "null");
  expect(answer.status).toBe(429);
  expect(answer.headers.get("retry-after")).toBe("2");
  expect(calls).toEqual([]);
});

test("what cannot be answered now is an error that the page repeats, and an event", async () => {
  const full = await setup(new StorageFullError("the disk is full"));
  const later = await full.post(`/app/act/buy/${requestId}`, "null");
  expect([later.status, await later.json()]).toEqual([503, { error: "STORAGE_FULL" }]);
  const broken = await setup(new TypeError("with a secret word"));
  const answer = await broken.post("/app/ask/shop", "null");
  expect([answer.status, await answer.json()]).toEqual([500, { error: "INTERNAL" }]);
  expect(broken.events).toMatchObject([{ type: "mini-app.failed", path: "/app/ask/shop" }]);
});

test("it is at the root as well, where a proxy passes everything on", async () => {
  const { calls, get, post } = await setup();
  expect(await (await get("/")).text()).toContain("the page");
  expect((await get("/page.js")).status).toBe(200);
  expect((await post("/ask/shop", "null")).status).toBe(200);
  expect((await post(`/act/buy/${requestId}`, "null")).status).toBe(200);
  expect(calls).toHaveLength(2);
});

test("the page and its files are served, and nothing else of the folder", async () => {
  const { get } = await setup();
  const page = await get("/app/", { headers: {} });
  expect(await page.text()).toContain("the page");
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("content-security-policy")).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
      "base-uri 'none'; form-action 'none'; frame-ancestors https://*.telegram.org",
  );
  expect(page.headers.get("x-content-type-options")).toBe("nosniff");
  expect(page.headers.get("x-powered-by")).toBeNull();
  expect(page.headers.get("access-control-allow-origin")).toBeNull();
  expect((await get("/app/page.js")).headers.get("content-type")).toMatch("javascript");
  const bare = await get("/app", { redirect: "manual" });
  expect([bare.status, bare.headers.get("location")]).toEqual([308, "app/"]);
  for (const name of [
    "secret.env",
    "inner.js",
    "..%2fpackage.json",
    "%2e%2e%2f%2e%2e",
    "none.js",
  ]) {
    expect((await get(`/app/${name}`)).status, name).toBe(404);
  }
});
