/** How a program finds or starts a sandbox beside itself. */
import { createServer } from "node:http";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { type EnsuredSandbox, ensureSandbox, freePort } from "../../sandbox/ensure.ts";

const started: EnsuredSandbox[] = [];
const host = "127.0.0.1";

afterEach(async () => {
  for (const sandbox of started.splice(0)) await sandbox.stop();
});

async function ensure(port: number, more: readonly string[] = []): Promise<EnsuredSandbox> {
  const sandbox = await ensureSandbox({ port, arguments: more });
  started.push(sandbox);
  return sandbox;
}

test("on port 0 each caller has a sandbox of its own, on a port that the sandbox itself has taken", async () => {
  const sandboxes = await Promise.all([ensure(0), ensure(0), ensure(0)]);
  expect(new Set(sandboxes.map(({ url }) => url)).size).toBe(3);
  expect(sandboxes.every((sandbox) => sandbox.started)).toBe(true);
});

test("two that begin at once on one port share the sandbox, and only its starter ends it", async () => {
  const port = await freePort(host);
  const both = await Promise.all([ensure(port), ensure(port)]);
  const [first] = both;
  const url = `http://${host}:${port}`;
  expect(both).toMatchObject([{ url }, { url }]);
  expect(both.filter((sandbox) => sandbox.started)).toHaveLength(1);
  await both.find((sandbox) => !sandbox.started)?.stop();
  expect((await fetch(`${first.url}/sandbox`)).ok).toBe(true);
});

test("another program on the port is told, and not taken for a sandbox", async () => {
  const server = createServer((_request, response) => response.end("{}"));
  const port = await freePort(host);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  await expect(ensure(port)).rejects.toThrow(`port ${port} is in use by another program`);
});

test("a sandbox that cannot start is told at once", async () => {
  await expect(ensure(0, ["--flood", "maybe"])).rejects.toThrow("did not come up on port 0");
});
