/** The live stream: it misses nothing and waits for no client. */
import { get, type IncomingMessage } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { operateToken, setupApi } from "./api-under-test.ts";

async function follow(port: number, headers: Record<string, string> = {}) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, path: "/api/events", agent: false, headers }, resolve).on("error", reject);
  });
  onTestFinished(() => void response.destroy());
  const got = { text: "" };
  response.on("error", () => {});
  response.on("data", (chunk) => {
    got.text += chunk;
  });
  return { response, got };
}

/** What a client sends when it comes back: the last id that it was told. */
const lastId = (text: string) => [...text.matchAll(/^id: (\S+)$/gm)].at(-1)?.[1] ?? "";

const numbers = (text: string) => [...text.matchAll(/"n":(\d+)/g)].map((match) => Number(match[1]));

test("a client hears what happens from now on", async () => {
  const { port, stream } = await setupApi();
  stream.push("fact", { n: 1 });
  const { got, response } = await follow(port);

  stream.push("fact", { n: 2 });
  stream.push("log", { n: 3 });

  await expect.poll(() => numbers(got.text)).toEqual([2, 3]);
  expect(response.headers).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  expect(got.text).toMatch(/id: \w+-2\nevent: fact\ndata: \{"atEpochMs":\d+,"n":2\}\n\n/);
});

test("a client that comes back misses nothing that is still kept", async () => {
  const { port, stream } = await setupApi();
  const first = await follow(port);
  stream.push("fact", { n: 1 });
  await expect.poll(() => numbers(first.got.text)).toEqual([1]);
  const id = lastId(first.got.text);
  first.response.destroy();
  for (let n = 2; n <= 9; n++) stream.push("fact", { n });

  const second = await follow(port, { "last-event-id": id });

  await expect.poll(() => numbers(second.got.text)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a client that was cut off before it heard of anything misses nothing either", async () => {
  const { port, stream } = await setupApi();
  stream.push("fact", { n: 1 });
  const first = await follow(port);
  await expect.poll(() => first.got.text).toContain("retry: 5000");
  const id = lastId(first.got.text);
  first.response.destroy();
  for (let n = 2; n <= 4; n++) stream.push("fact", { n });

  const second = await follow(port, { "last-event-id": id });

  await expect.poll(() => numbers(second.got.text)).toEqual([2, 3, 4]);
});

test("an id of a process before this one gets all that this one has said", async () => {
  const { port, stream } = await setupApi();
  for (let n = 1; n <= 600; n++) stream.push("fact", { n });

  const { got } = await follow(port, { "last-event-id": "abc-7" });

  // The latest 500 are kept.
  await expect.poll(() => numbers(got.text).at(-1)).toBe(600);
  expect(numbers(got.text)).toHaveLength(500);
});

test.each(["nonsense", "1-", "-1", "💥", "abc-99999999999999999999"])(
  "the id %j is as good as none",
  async (id) => {
    const { port, stream } = await setupApi();
    stream.push("fact", { n: 1 });
    const { got } = await follow(port, { "last-event-id": encodeURIComponent(id) });

    stream.push("fact", { n: 2 });

    await expect.poll(() => numbers(got.text)).toEqual([2]);
  },
);

test("a quiet stream is kept alive by comments", async () => {
  const { clock, port } = await setupApi();
  const { got } = await follow(port);
  await expect.poll(() => clock.pending).toBe(1);

  await clock.advance(45_000);

  await expect.poll(() => got.text.match(/^: /gm)).toHaveLength(3);
});

test("the eleventh client is turned away, until another one leaves", async () => {
  const { call, port, stream } = await setupApi();
  const clients = await Promise.all(Array.from({ length: 10 }, () => follow(port)));

  const answer = await call({ path: "/api/events" });
  expect(answer.status).toBe(503);
  expect(answer.headers["retry-after"]).toBe("5");
  expect(answer.json).toMatchObject({ success: false, error: { code: "TOO_MANY_STREAMS" } });

  clients[0]?.response.destroy();
  await expect.poll(() => stream.clients).toBe(9);
  expect((await follow(port)).response.statusCode).toBe(200);
});

test("a client that does not read is cut off, and the others are not held up", async () => {
  const { port, stream } = await setupApi();
  const deaf = await follow(port);
  deaf.response.pause();
  const other = await follow(port);
  const words = "x".repeat(100_000);

  // Sockets take some megabytes before they are full.
  for (let n = 1; n <= 200 && stream.clients === 2; n++) {
    stream.push("fact", { n, words });
    await new Promise(setImmediate);
  }

  expect(stream.clients).toBe(1);
  stream.push("fact", { n: 999 });
  await expect.poll(() => numbers(other.got.text).at(-1)).toBe(999);
});

test("a client that leaves leaves nothing behind", async () => {
  const { clock, port, stream } = await setupApi();
  const { response } = await follow(port);
  await expect.poll(() => clock.pending).toBe(1);

  response.destroy();

  await expect.poll(() => stream.clients).toBe(0);
  await expect.poll(() => clock.pending).toBe(0);
});

test("a stop ends the stream, and the next server goes on where it was", async () => {
  const { port, server, stream } = await setupApi();
  const { response } = await follow(port);
  const ended = new Promise((resolve) => response.once("close", resolve));

  await server.stop();

  await ended;
  expect(stream.clients).toBe(0);
});

test("HEAD asks for no stream", async () => {
  const { call, stream } = await setupApi();

  const answer = await call({ path: "/api/events", method: "HEAD", token: operateToken });

  expect(answer.status).toBe(200);
  expect(stream.clients).toBe(0);
});
