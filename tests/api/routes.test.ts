/** What each address does with what it is given. */
import { expect, test } from "vitest";
import {
  delayedMessage,
  hold,
  letter,
  operateToken,
  panel,
  readToken,
  setupApi,
  sharing,
} from "./api-under-test.ts";

const post = (path: string, body: unknown) => ({
  path,
  method: "POST",
  token: operateToken,
  body: typeof body === "string" ? body : JSON.stringify(body),
});

test.each([
  [{ pool: "sending" }, "sending"],
  [{ type: "update" }, "handling"],
  [{ pool: "handling", type: "update" }, "handling"],
])("pausing %j pauses the pool %s, and resuming resumes it", async (body, pool) => {
  const { asked, call } = await setupApi();

  expect((await call(post("/api/message-queue/pause", body))).json).toMatchObject({
    success: true,
    data: { pool, paused: true },
  });
  await call(post("/api/message-queue/resume", body));
  expect(asked).toEqual([
    ["setPaused", pool, true],
    ["setPaused", pool, false],
  ]);
});

test.each([
  [{}, /body.pool/],
  [{ pool: "swimming" }, /body.pool.*handling/],
  [{ type: "broadcast" }, /shares the pool sending/],
  [{ pool: "sending", type: "update" }, /shares|pool/],
  [{ pool: "sending", extra: 1 }, /extra/],
])("pausing %j is refused, and the answer says what is wrong", async (body, message) => {
  const { asked, call } = await setupApi();

  const answer = await call(post("/api/message-queue/pause", body));

  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({
    error: { code: "INVALID_REQUEST", message: expect.stringMatching(message) },
  });
  expect(asked).toEqual([]);
});

test.each(["hello", "{", "[]", '"text"', "null", "12", "\u00ff{", '{"pool":"sending"'])(
  "the body %j is refused",
  async (body) => {
    const { asked, call } = await setupApi();

    const answer = await call(post("/api/message-queue/pause", body));

    expect(answer.status).toBe(400);
    expect(asked).toEqual([]);
  },
);

test("what holds work back is listed, and released by its id", async () => {
  const { asked, call } = await setupApi();
  expect((await call({ path: "/api/holds" })).json).toMatchObject({ data: { holds: [hold] } });
  const path = `/api/holds/${encodeURIComponent(hold.id)}/release`;
  expect((await call(post(path, {}))).json).toMatchObject({
    data: { id: hold.id, released: true },
  });
  expect((await call(post("/api/holds/nothing/release", {}))).status).toBe(404);
  const refused = await call(post("/api/holds/disk-full:handling/release", {}));
  expect([refused.status, refused.json]).toMatchObject([
    409,
    { error: { code: "HOLD_NOT_RELEASABLE" } },
  ]);
  expect(asked).toEqual([
    ["releaseHold", hold.id],
    ["releaseHold", "nothing"],
    ["releaseHold", "disk-full:handling"],
  ]);
});

test("the processes are listed, and one of them is asked to restart by its number, on record", async () => {
  const { asked, call, events } = await setupApi();
  const list = await call({ path: "/api/processes" });
  expect(list.json).toMatchObject({ data: { processes: [sharing] } });
  const path = (number: number) => `/api/processes/${number}/restart`;
  expect((await call(post(path(7), {}))).json).toMatchObject({ data: { number: 7 } });
  expect((await call(post(path(8), {}))).status).toBe(404);
  expect((await call({ ...post(path(7), {}), token: readToken })).status).toBe(403);
  expect(asked).toEqual([
    ["askRestart", 7],
    ["askRestart", 8],
  ]);
  expect(events).toMatchObject([
    { type: "api.change-requested", facts: { what: "process 7" } },
    { type: "api.change-requested", facts: { what: "process 8" } },
    { type: "api.refused" },
  ]);
});

test("what is delayed is listed without a payload, and run now by its id, on record", async () => {
  const { asked, call, events } = await setupApi();
  const list = await call({ path: "/api/message-queue/delayed?type=task&limit=5" });
  expect(list.json).toMatchObject({ data: { total: 1, limit: 5, delayed: [delayedMessage] } });
  const path = (id: number) => `/api/message-queue/delayed/${id}/run`;

  const run = await call(post(path(delayedMessage.id), ""));

  expect(run.json).toMatchObject({ success: true, data: { messageId: delayedMessage.id } });
  expect(events).toMatchObject([
    { type: "api.change-requested", facts: { messageId: delayedMessage.id } },
  ]);
  expect((await call(post(path(999), ""))).status).toBe(404);
  expect((await call({ path: path(delayedMessage.id), method: "POST" })).status).toBe(401);
  const reader = { path: path(delayedMessage.id), method: "POST", token: readToken };
  expect((await call(reader)).status).toBe(403);
  expect(asked).toEqual([
    ["runNow", delayedMessage.id],
    ["runNow", 999],
  ]);
});

test.each(["type=x", "limit=0", "limit=1001", "offset=-1", "offset=1000001", "page=2"])(
  "a list of what is delayed with %s is refused",
  async (query) => {
    const { call } = await setupApi();

    expect((await call({ path: `/api/message-queue/delayed?${query}` })).status).toBe(400);
  },
);

test("a restart of the process is accepted once", async () => {
  const { asked, call } = await setupApi();

  const first = await call(post("/api/restart", { reason: "manual restart" }));
  const second = await call(post("/api/restart", ""));

  expect(first.status).toBe(200);
  expect(first.json).toMatchObject({
    success: true,
    data: { id: expect.stringMatching(/^restart-/), what: "process", begun: true },
  });
  const { id } = first.json["data"] as { id: string };
  expect(asked[0]).toEqual(["restartProcess", `manual restart (${id})`]);
  expect(second.status).toBe(409);
});

test.each([
  ["nonsense", 404, /polling/],
  ["storage", 409, /polling/],
])(
  "restarting the component %s answers %d and names those that can be",
  async (name, status, hint) => {
    const { asked, call } = await setupApi();

    const answer = await call(post("/api/restart", { component: name }));

    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(hint);
    expect(asked).toEqual([]);
  },
);

test("a component that can be restarted is", async () => {
  const { asked, call } = await setupApi();

  const answer = await call(post("/api/restart", { component: "polling", reason: "try" }));

  expect(answer.status).toBe(200);
  expect(asked).toEqual([
    ["restartComponent", "polling", expect.stringMatching(/^try \(restart-/)],
  ]);
});

test("restarts are limited in number", async () => {
  const { call } = await setupApi();
  const statuses: number[] = [];
  for (let time = 0; time < 12; time++) {
    statuses.push((await call(post("/api/restart", { component: "polling" }))).status);
  }

  expect(statuses.slice(0, 10)).toEqual(Array(10).fill(200));
  expect(statuses.slice(10)).toEqual([429, 429]);
});

test("a dead letter's payload is shown only with the right to operate", async () => {
  const { call, events } = await setupApi();
  const path = `/api/dead-letters/${letter.id}`;

  expect((await call({ path, token: operateToken })).text).toContain("private words");
  const onRecord = [
    {
      type: "api.payload-requested",
      action: "GET /api/dead-letters/:id",
      address: "127.0.0.1",
      by: "operate 1",
      facts: { deadLetterId: letter.id },
    },
  ];
  expect(events).toEqual(onRecord);
  for (const token of [undefined, readToken]) {
    const answer = await call({ path, ...(token && { token }) });
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain("private words");
  }
  const list = await call({ path: "/api/dead-letters", token: operateToken });
  expect(list.text).not.toContain("private words");
  // Whoever is shown no words leaves no line.
  expect(events).toEqual(onRecord);
});

test.each(["/api/dead-letters/999", "/api/dead-letters/999/requeue"])(
  "%s is not there",
  async (path) => {
    const { call } = await setupApi();
    const method = path.endsWith("requeue") ? "POST" : "DELETE";

    expect((await call({ path, method, token: operateToken })).status).toBe(404);
  },
);

test.each(["abc", "0", "-1", "1.5", "99999999999999999999", "7;drop", "%20"])(
  "the dead letter %j makes no sense",
  async (id) => {
    const { call } = await setupApi();

    expect((await call({ path: `/api/dead-letters/${id}` })).status).toBe(400);
  },
);

test.each([
  "limit=0",
  "limit=1001",
  "limit=x",
  "offset=-1",
  "type=x",
  "reason=x",
  "limit=1&limit=2",
  "page=2",
])("a list of dead letters with %s is refused", async (query) => {
  const { call } = await setupApi();

  const answer = await call({ path: `/api/dead-letters?${query}` });

  expect(answer.status).toBe(400);
  expect(answer.json).toMatchObject({ error: { problems: [{ field: expect.any(String) }] } });
});

test("dead letters found by a filter are put back oldest first, a thousand at a time", async () => {
  const total = 2_500;
  // As a store lists them: the newest, which has the highest number, first.
  const deadLetters = async ({ limit, offset }: { limit: number; offset: number }) => ({
    total,
    offset,
    limit,
    deadLetters: Array.from({ length: Math.min(limit, total - offset) }, (_, index) => ({
      ...letter,
      id: total - offset - index,
    })),
  });
  const done: number[] = [];
  const requeue = async (id: number) => done.push(id);
  const { call, events } = await setupApi({ view: { deadLetters }, actions: { requeue } });

  const answer = await call(post("/api/dead-letters/requeue", { filter: { reason: "refused" } }));

  expect(answer.json).toMatchObject({ data: { done: 1_000, missing: 0, remaining: 1_500 } });
  expect(done).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
  expect(events).toMatchObject([{ type: "api.change-requested", facts: { reason: "refused" } }]);
});

test("named dead letters are removed, each once, and what is not there is counted", async () => {
  const { asked, call, events } = await setupApi();

  const answer = await call(post("/api/dead-letters/delete", { ids: [9, letter.id, 9] }));

  expect(answer.json).toMatchObject({ data: { done: 1, missing: 1, remaining: 0 } });
  expect(asked).toEqual([
    ["deleteDeadLetter", letter.id],
    ["deleteDeadLetter", 9],
  ]);
  expect(events).toMatchObject([{ facts: { ids: 3 } }]);
});

test.each([
  {},
  { ids: [] },
  { ids: [1], filter: {} },
  { ids: ["1"] },
  { ids: Array(1001).fill(1) },
])("the choice %j of dead letters is refused", async (body) => {
  const { asked, call } = await setupApi();

  expect((await call(post("/api/dead-letters/delete", body))).status).toBe(400);
  expect(asked).toEqual([]);
});

test("health comes as application/health+json to who asks for it", async () => {
  const checks = {
    queue: { status: "degraded", duration: 3, reason: "full", checkedAt: "t", oldestAgeMs: 9 },
  } as const;
  const { call } = await setupApi({ view: { health: () => ({ status: "degraded", checks }) } });

  const answer = await call({ headers: { accept: "application/health+json" } });

  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toMatch(/^application\/health\+json/);
  expect(answer.json).toEqual({
    status: "warn",
    checks: {
      "queue:responseTime": [
        {
          componentType: "component",
          time: "t",
          status: "warn",
          output: "full",
          observedValue: 3,
          observedUnit: "ms",
        },
      ],
      "queue:oldestAgeMs": [
        { componentType: "component", time: "t", observedValue: 9, observedUnit: "ms" },
      ],
    },
  });
  expect((await call({ headers: { accept: "*/*" } })).json).toHaveProperty("success", true);
});

test("a bot that is not ready says why, with 503", async () => {
  const ready = { ready: false, phase: "draining", reasons: ["the process is draining"] } as const;
  const { call } = await setupApi({ view: { ready: () => ready } });

  const answer = await call({ path: "/api/ready" });

  expect(answer.status).toBe(503);
  expect(answer.json).toMatchObject({ success: false, data: ready });
});

test("the page may run its own scripts and nothing else", async () => {
  const { call } = await setupApi();

  const page = await call({ path: "/" });
  const script = await call({ path: "/assets/uplot.js" });
  const style = await call({ path: "/assets/uplot.css" });

  expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i);
  expect(script.headers["content-type"]).toBe("text/javascript; charset=utf-8");
  expect(style.headers["content-type"]).toBe("text/css; charset=utf-8");
  const policy = String(page.headers["content-security-policy"]);
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/unsafe|upgrade-insecure|\*/);
  expect(page.headers).not.toHaveProperty("strict-transport-security");
});

test("panels are listed, and what is about people is in the answer only with the right to operate", async () => {
  const { call } = await setupApi();
  const { name, title } = panel;
  expect((await call({ path: "/api/panels" })).json).toMatchObject({
    data: { panels: [{ name, title }] },
  });
  const path = `/api/panels/${name}`;

  for (const token of [undefined, readToken]) {
    const answer = await call({ path, ...(token && { token }) });
    expect(answer.json).toMatchObject({
      data: {
        withheld: true,
        figures: [{ value: 123_450 }],
        tables: [
          {
            columns: [{ label: "order" }, { label: "sum" }],
            rows: [
              ["#1", 900],
              ["#2", null],
            ],
          },
        ],
      },
    });
    expect(answer.text).not.toMatch(/Ann|Bob|buyer|beyond/);
  }
  const answer = await call({ path, token: operateToken });
  expect(answer.json).toMatchObject({ data: { withheld: false, tables: [{ total: 5 }] } });
  expect(answer.text).toMatch(/Ann of figures.*Ann of rows.*Bob of rows/);
  expect((await call({ path: "/api/panels/none" })).status).toBe(404);
});

test.each<[string, () => Promise<unknown>, number, RegExp]>([
  ["throws", () => Promise.reject(new Error("no table of Ann")), 500, /INTERNAL/],
  ["gives nothing", async () => undefined, 503, /PANEL_REFUSED.*content/],
  ["gives a field of its own", async () => ({ secrets: [] }), 503, /PANEL_REFUSED.*secrets/],
  [
    "gives an object for a value",
    async () => ({ figures: [{ label: "x", value: { name: "Ann" } }] }),
    503,
    /figures\.0\.value/,
  ],
])("a panel that %s is an error of its address alone, and says which field", async (...given) => {
  const [, read, status, says] = given;
  const { call, events } = await setupApi({ view: { panels: () => [{ ...panel, read }] } });

  const answer = await call({ path: `/api/panels/${panel.name}`, token: operateToken });

  expect(answer.status).toBe(status);
  expect(answer.text).toMatch(says);
  expect(answer.text).not.toContain("Ann");
  expect(events).toMatchObject([{ type: "api.failed" }]);
  expect((await call({ path: "/api/status" })).status).toBe(200);
});
