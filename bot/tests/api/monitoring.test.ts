import { createServer, get, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import {
  MonitoringListenError,
  MonitoringPortInUseError,
  MonitoringServer,
} from "../../api/monitoring.ts";
import type { MonitoringView } from "../../api/routes.ts";
import type { BotEvent } from "../../contracts/events.ts";
import { lifecycleConformance } from "../support/lifecycle-conformance.ts";
import { ManualClock } from "../support/manual-clock.ts";

const view: MonitoringView = {
  health: () => ({ status: "healthy", timestamp: "t", checks: {} }),
  status: () => ({ uptimeSeconds: 1 }),
  messageQueue: async () => ({ deadLetters: 0 }),
  connections: () => ({ connections: {} }),
};

async function setup(shown: Partial<MonitoringView> = {}, host = "127.0.0.1") {
  const clock = new ManualClock();
  const events: BotEvent[] = [];
  const publish = (event: BotEvent) => events.push(event);
  const server = new MonitoringServer({
    host,
    port: 0,
    publish,
    view: { ...view, ...shown },
    clock,
  });
  await server.start();
  onTestFinished(async () => {
    const stopping = server.stop();
    await clock.advance(1_000);
    await stopping;
  });
  const { port } = server.address();
  return { clock, events, port, server, call: (options: Call = {}) => call(port, options) };
}

interface Call {
  readonly path?: string;
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** One request over a connection of its own, with whatever `Host` is wished. */
function call(
  port: number,
  { path = "/api/health", method = "GET", host, headers, body }: Call,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        agent: false,
        headers: { host: host ?? `localhost:${port}`, ...headers },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () => {
          const json = text === "" ? {} : JSON.parse(text);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

lifecycleConformance("the monitoring server", () => {
  const clock = new ManualClock();
  const deps = { host: "127.0.0.1", port: 0, publish: () => {}, view, clock };
  return { clock, component: new MonitoringServer(deps) };
});

const timestamp = "2026-01-01T00:00:00.000Z";

test.each([
  ["/api/health", { status: "healthy", timestamp: "t", checks: {} }],
  ["/api/status", { uptimeSeconds: 1 }],
  ["/api/message-queue", { deadLetters: 0 }],
])("GET %s answers in the requirement's form", async (path, data) => {
  const { call } = await setup();

  const answer = await call({ path });

  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(answer.json).toEqual({ success: true, data, timestamp });
});

test.each([
  ["healthy", 200, true],
  ["degraded", 200, true],
  ["unhealthy", 503, false],
] as const)("a bot that is %s answers %d", async (status, code, success) => {
  const { call } = await setup({ health: async () => ({ status }) });

  const answer = await call();

  expect(answer.status).toBe(code);
  expect(answer.json).toMatchObject({ success, data: { status } });
});

test("every answer forbids caching, framing, sniffing and reading by other sites", async () => {
  const { call } = await setup();

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
  const { call, port } = await setup();

  expect((await call({ host: `${name}:${port}` })).status).toBe(200);
});

test.each([
  "evil.example",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "localhost@evil",
  "",
])("it does not answer as %j", async (name) => {
  const { call, port } = await setup();

  const answer = await call({ host: `${name}:${port}` });

  expect(answer.status).toBe(403);
  expect(answer.json).toMatchObject({
    success: false,
    error: { code: "HOST_NOT_ALLOWED" },
    timestamp,
  });
});

test("the host has to come with the port", async () => {
  const { call, port } = await setup();

  expect((await call({ host: "localhost" })).status).toBe(403);
  expect((await call({ host: `localhost:${port + 1}` })).status).toBe(403);
});

test.each(["/", "/api", "/api/healthy", "/api/metrics", "/..%2f", "/%", "/api/health/%00"])(
  "%s is not there",
  async (path) => {
    const { call } = await setup();

    const answer = await call({ path });

    expect([400, 404]).toContain(answer.status);
    expect(answer.json).toMatchObject({ success: false, timestamp });
  },
);

test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])(
  "%s is not allowed",
  async (method) => {
    const { call } = await setup();

    const answer = await call({ method });

    expect(answer.status).toBe(405);
    expect(answer.headers["allow"]).toBe("GET, HEAD");
    expect(answer.json).toMatchObject({ success: false, error: { code: "METHOD_NOT_ALLOWED" } });
  },
);

test("HEAD answers without a body", async () => {
  const { call } = await setup();

  expect(await call({ method: "HEAD" })).toMatchObject({ status: 200, text: "" });
});

test("a body that is too long, or of unknown length, is refused without being read", async () => {
  const { call } = await setup();
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
  const { call, events } = await setup({ status });

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
  const { call, clock, events } = await setup({ status: () => new Promise(() => {}) });

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
  const server = new MonitoringServer({ host: "127.0.0.1", port, publish: () => {}, view });

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
  const server = new MonitoringServer({ host: "192.0.2.1", port: 0, publish: () => {}, view });

  await expect(server.start()).rejects.toThrow(MonitoringListenError);
  await server.stop();
});

test("port 0 takes a free port, and the server says which", async () => {
  const { port, server } = await setup();

  expect(port).toBeGreaterThan(0);
  expect(server.url).toBe(`http://127.0.0.1:${port}`);
  expect((await fetch(`${server.url}/api/status`)).status).toBe(200);
});

test("an IPv6 address stands in brackets", async () => {
  const { port, server } = await setup({}, "::1");

  expect(server.url).toBe(`http://[::1]:${port}`);
  expect((await fetch(`${server.url}/api/status`)).status).toBe(200);
});

test("no more than 64 connections are held open", async () => {
  const { call, port } = await setup();
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
  const { clock, port, server } = await setup({ status: () => new Promise(() => {}) });
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
