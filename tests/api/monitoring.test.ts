import { createServer, get } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import {
  MonitoringListenError,
  MonitoringPortInUseError,
  MonitoringServer,
} from "../../bot/api/monitoring.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { serverDeps, setupApi, timestamp } from "./api-under-test.ts";

lifecycleConformance("the monitoring server", () => {
  const { clock, deps } = serverDeps();
  return { clock, component: new MonitoringServer(deps) };
});

test.each([
  ["/api/live", { live: true, uptimeSeconds: 1 }],
  ["/api/health", { status: "healthy", timestamp: "t", checks: {} }],
  ["/api/status", { uptimeSeconds: 1 }],
  ["/api/message-queue", { deadLetters: 1 }],
])("GET %s answers in the requirement's form", async (path, data) => {
  const { call } = await setupApi();

  const answer = await call({ path });

  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(answer.json).toMatchObject({ success: true, data, timestamp });
});

test.each([
  ["healthy", 200, true],
  ["degraded", 200, true],
  ["unhealthy", 503, false],
] as const)("a bot that is %s answers %d", async (status, code, success) => {
  const { call } = await setupApi({ view: { health: async () => ({ status }) } });

  const answer = await call();

  expect(answer.status).toBe(code);
  expect(answer.json).toMatchObject({ success, data: { status } });
});

test("every answer forbids caching, framing, sniffing and reading by other sites", async () => {
  const { call } = await setupApi();

  for (const options of [{}, { path: "/nothing" }, { host: "evil.example" }, { method: "PUT" }]) {
    const { headers } = await call(options);
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": expect.stringContaining("default-src 'none'"),
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    expect(headers).not.toHaveProperty("x-powered-by");
    expect(headers).not.toHaveProperty("etag");
    expect(headers).not.toHaveProperty("access-control-allow-origin");
  }
});

test.each(["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])("it answers as %s", async (name) => {
  const { call, port } = await setupApi();

  expect((await call({ host: `${name}:${port}` })).status).toBe(200);
});

test.each([
  "evil.example",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "localhost@evil",
  "",
])("it does not answer as %j", async (name) => {
  const { call, port } = await setupApi();

  const answer = await call({ host: `${name}:${port}` });

  expect(answer.status).toBe(403);
  expect(answer.json).toMatchObject({
    success: false,
    error: { code: "HOST_NOT_ALLOWED" },
    timestamp,
  });
});

test("the host has to come with the port", async () => {
  const { call, port } = await setupApi();

  expect((await call({ host: "localhost" })).status).toBe(403);
  expect((await call({ host: `localhost:${port + 1}` })).status).toBe(403);
});

test.each([
  "/api",
  "/api/healthy",
  "/assets/nothing.js",
  "/assets/..%2findex.html",
  "/..%2f",
  "/%",
  "/api/health/%00",
])("%s is not there", async (path) => {
  const { call } = await setupApi();

  const answer = await call({ path });

  expect([400, 404]).toContain(answer.status);
  expect(answer.json).toMatchObject({ success: false, timestamp });
});

test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])(
  "%s is not allowed",
  async (method) => {
    const { call } = await setupApi();

    const answer = await call({ method });

    expect(answer.status).toBe(405);
    expect(answer.headers["allow"]).toBe("GET, HEAD");
    expect(answer.json).toMatchObject({ success: false, error: { code: "METHOD_NOT_ALLOWED" } });
  },
);

test("HEAD answers without a body", async () => {
  const { call } = await setupApi();

  expect(await call({ method: "HEAD" })).toMatchObject({ status: 200, text: "" });
});

test("a body that is too long, or of unknown length, is refused without being read", async () => {
  const { call } = await setupApi();
  const long = "x".repeat(17_000);

  const known = await call({ method: "POST", body: long, headers: { "content-length": "17000" } });
  const chunked = await call({ method: "POST", headers: { "transfer-encoding": "chunked" } });

  for (const answer of [known, chunked]) {
    expect(answer.status).toBe(413);
    expect(answer.headers["connection"]).toBe("close");
  }
});

test.each<[string, () => object | Promise<object>]>([
  [
    "throws",
    () => {
      throw new Error("secret detail");
    },
  ],
  ["rejects", () => Promise.reject(new Error("secret detail"))],
  ["cannot be written as JSON", () => ({ figure: 1n })],
])("a view that %s gives a generic error, and an event", async (_, status) => {
  const { call, events } = await setupApi({ view: { status: status as () => never } });

  const answer = await call({ path: "/api/status?key=value" });

  expect(answer.status).toBe(500);
  expect(answer.json).toEqual({
    success: false,
    error: { code: "INTERNAL", message: "see the log" },
    timestamp,
  });
  expect(events).toMatchObject([{ type: "api.failed", path: "/api/status" }]);
});

test("a view that hangs is given up", async () => {
  const { call, clock, events } = await setupApi({ view: { status: () => new Promise(() => {}) } });

  const calling = call({ path: "/api/status" });
  await expect.poll(() => clock.pending).toBe(1);
  await clock.advance(5_000);

  expect((await calling).status).toBe(500);
  expect(events).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test("a port that is taken is an error that says what to do", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const server = new MonitoringServer({ ...serverDeps().deps, port });

  const error = await server.start().catch((reason: unknown) => reason);

  expect(error).toBeInstanceOf(MonitoringPortInUseError);
  expect(error).toMatchObject({
    code: "MONITORING_PORT_TAKEN",
    transient: true,
    hint: expect.stringContaining("MONITORING_PORT"),
  });
  await server.stop();
});

test("an address of another machine is an error, too", async () => {
  const server = new MonitoringServer({ ...serverDeps().deps, host: "192.0.2.1" });

  await expect(server.start()).rejects.toThrow(MonitoringListenError);
  await server.stop();
});

test("port 0 takes a free port, and the server says which", async () => {
  const { port, server } = await setupApi();

  expect(port).toBeGreaterThan(0);
  expect(server.url).toBe(`http://127.0.0.1:${port}`);
  expect((await fetch(`${server.url}/api/status`)).status).toBe(200);
});

test("an IPv6 address stands in brackets", async () => {
  const { port, server } = await setupApi({ host: "::1" });

  expect(server.url).toBe(`http://[::1]:${port}`);
  expect((await fetch(`${server.url}/api/status`)).status).toBe(200);
});

test("no more than 64 connections are held open", async () => {
  const { call, port } = await setupApi();
  const sockets = Array.from({ length: 100 }, () => connect(port, "127.0.0.1"));
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  for (const socket of sockets) socket.on("error", () => {});

  await expect.poll(() => sockets.filter((socket) => !socket.destroyed).length).toBe(64);

  for (const socket of sockets) socket.destroy();
  await expect
    .poll(() =>
      call().then(
        (answer) => answer.status,
        () => 0,
      ),
    )
    .toBe(200);
});

test("a stop ends even a connection whose answer hangs", async () => {
  const { clock, port, server } = await setupApi({ view: { status: () => new Promise(() => {}) } });
  const cut = new Promise((resolve) => {
    get({ port, path: "/api/status", headers: { host: `localhost:${port}` } }).on("error", resolve);
  });
  await expect.poll(() => clock.pending).toBe(1);

  const stopping = server.stop();
  await clock.advance(1_000);
  await stopping;

  expect(await cut).toMatchObject({ code: "ECONNRESET" });
  await expect(fetch(server.url)).rejects.toThrow();
});
