import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { DelayProxy } from "../../../../lab/bench/durable-queues/delay-proxy.ts";

async function setup(delayMs: number) {
  const server = createServer((socket) => socket.pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await DelayProxy.start((server.address() as AddressInfo).port, delayMs);
  const socket = connect(proxy.port, "127.0.0.1");
  await once(socket, "connect");
  onTestFinished(async () => {
    socket.destroy();
    await proxy.stop();
    server.close();
  });
  return socket;
}

test("an answer arrives later by the delay", async () => {
  const socket = await setup(30);
  const askedAtMs = performance.now();
  socket.write("?");
  await once(socket, "data");
  // A timer may fire up to a millisecond early.
  expect(performance.now() - askedAtMs).toBeGreaterThanOrEqual(29);
});

test("what is under way together is delayed together, and stays in order", async () => {
  const socket = await setup(100);
  let heard = "";
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString();
  });
  const askedAtMs = performance.now();
  for (const word of ["one ", "two ", "three ", "four ", "five ", "six "]) {
    socket.write(word);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  while (heard.length < "one two three four five six ".length) await once(socket, "data");
  expect(heard).toBe("one two three four five six ");
  // One after the other would take six delays.
  expect(performance.now() - askedAtMs).toBeLessThan(500);
});
