/** The eight toxics, each on a real connection to a server that answers every chunk with an echo. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { pause } from "../../../lab/drill/bot-process.ts";
import { FaultProxy } from "../../../lab/drill/fault-proxy.ts";

async function setup() {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const proxy = new FaultProxy(`http://127.0.0.1:${port}`, () => 0.5);
  await proxy.start();
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await proxy.stop();
    server.close();
  });
  const open = async () => {
    const socket = connect(Number(new URL(proxy.url).port), "127.0.0.1");
    sockets.push(socket);
    const heard = { text: "", chunks: 0, ended: false, error: undefined as string | undefined };
    socket.on("data", (chunk: Buffer) => {
      heard.text += chunk.toString();
      heard.chunks++;
    });
    socket.on("close", () => {
      heard.ended = true;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      heard.error = error.code;
    });
    await once(socket, "connect");
    const hears = async (length: number) => {
      while (heard.text.length < length) await pause(5);
    };
    return { socket, heard, hears };
  };
  return { open, proxy };
}

test("without a toxic everything passes, in its order", async () => {
  const { open } = await setup();
  const { heard, hears, socket } = await open();
  for (let index = 0; index < 50; index++) socket.write(`${index},`);
  await hears(140);
  expect(heard.text).toBe(Array.from({ length: 50 }, (_, index) => `${index},`).join(""));
});

test("latency: a chunk comes later, and not before", async () => {
  const { open, proxy } = await setup();
  const { heard, hears, socket } = await open();
  await proxy.add({ kind: "latency", ms: 300 }, "down");
  socket.write("late");
  await pause(200);
  expect(heard.text).toBe("");
  await hears(4);
});

test("down: the port is closed with its connections, and comes back", async () => {
  const { open, proxy } = await setup();
  const before = await open();
  const cure = await proxy.add({ kind: "down" });
  await once(before.socket, "close");
  const refused = connect(Number(new URL(proxy.url).port), "127.0.0.1");
  const [error] = await once(refused, "error");
  expect(error.code).toBe("ECONNREFUSED");
  await cure();
  const { hears, socket } = await open();
  socket.write("back");
  await hears(4);
});

test("bandwidth: bytes come at their rate", async () => {
  const { open, proxy } = await setup();
  const { heard, hears, socket } = await open();
  await proxy.add({ kind: "bandwidth", bytesPerSecond: 1_000 }, "up");
  socket.write("x".repeat(400));
  await pause(100);
  expect(heard.text.length).toBeLessThan(400);
  await hears(400);
});

test("slow-close: the end of a connection arrives late", async () => {
  const { open, proxy } = await setup();
  const { heard, socket } = await open();
  await proxy.add({ kind: "slow-close", ms: 400 }, "down");
  socket.end();
  await pause(200);
  expect(heard.ended).toBe(false);
  await once(socket, "close");
});

test("timeout: nothing passes, and the connection is closed after a while", async () => {
  const { open, proxy } = await setup();
  const { heard, socket } = await open();
  await proxy.add({ kind: "timeout", ms: 200 });
  socket.write("lost");
  await once(socket, "close");
  expect(heard.text).toBe("");
});

test("endless timeout: open connections stay dead after the cure, and new ones work", async () => {
  const { open, proxy } = await setup();
  const dead = await open();
  const cure = await proxy.add({ kind: "timeout", ms: 0 });
  dead.socket.write("lost");
  await cure();
  const { hears, socket } = await open();
  socket.write("back");
  await hears(4);
  dead.socket.write("lost too");
  await pause(100);
  expect(dead.heard).toMatchObject({ text: "", ended: false });
});

test("reset-peer: the connection is reset, not closed", async () => {
  const { open, proxy } = await setup();
  const { heard, socket } = await open();
  await proxy.add({ kind: "reset-peer", ms: 50 });
  await new Promise((closed) => socket.once("close", closed));
  expect(heard.error).toBe("ECONNRESET");
});

test("slicer: the same bytes come in many pieces", async () => {
  const { open, proxy } = await setup();
  const { heard, hears, socket } = await open();
  await proxy.add({ kind: "slicer", bytes: 10, pauseMs: 5 }, "down");
  const text = "0123456789".repeat(10);
  socket.write(text);
  await hears(100);
  expect(heard.text).toBe(text);
  expect(heard.chunks).toBeGreaterThan(5);
});

test("limit-data: the connection is closed after so many bytes", async () => {
  const { open, proxy } = await setup();
  const { heard, socket } = await open();
  await proxy.add({ kind: "limit-data", bytes: 10 }, "down");
  socket.write("x".repeat(100));
  await once(socket, "close");
  expect(heard.text).toBe("x".repeat(10));
});

test("led to another server, it closes the connections to the one before", async () => {
  const { open, proxy } = await setup();
  const before = await open();
  before.socket.write("old");
  await before.hears(3);
  const other = createServer((socket) => socket.end("other"));
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  onTestFinished(() => void other.close());
  proxy.leadTo(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
  while (!before.heard.ended) await pause(5);
  const after = await open();
  await after.hears(5);
  expect(after.heard.text).toBe("other");
});
