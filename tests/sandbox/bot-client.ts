/** Bot client: a sandbox of a test's own, and a bot that talks to it without any library. */
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { onTestFinished } from "vitest";
import { Sandbox, type SandboxOptions, sandboxToken } from "../../sandbox/sandbox.ts";

// biome-ignore lint/suspicious/noExplicitAny: a server's answer has no type until a test checks it.
export type Loose = any;

export interface BotAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON, or undefined when it is none. */
  readonly body: Loose;
}

/** Starts a sandbox, by default with a frozen clock. It is stopped when the test ends. */
export async function startSandbox(options: SandboxOptions = {}) {
  const sandbox = new Sandbox({ seed: 1, frozenClock: true, ...options });
  onTestFinished(() => sandbox.stop());
  const { url, port } = await sandbox.start();
  const { control } = sandbox;
  const call = (method: string, parameters: object = {}, token = sandboxToken) =>
    post(`${url}/bot${token}/${method}`, JSON.stringify(parameters));
  return { sandbox, control, url, port, call };
}

/** Starts a sandbox in which Ann has pressed Start; her chat is 42. */
export async function startConversation(options: SandboxOptions = {}) {
  const started = await startSandbox(options);
  started.control.createUser({ id: 42, firstName: "Ann", started: true });
  return started;
}

export function post(
  url: string,
  body: string | Buffer,
  contentType = "application/json",
  method = "POST",
): Promise<BotAnswer> {
  const answer = new Promise<BotAnswer>((resolve, reject) => {
    const request = httpRequest(url, {
      method,
      agent: false,
      headers: { "content-type": contentType, "content-length": Buffer.byteLength(body) },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const status = response.statusCode ?? 0;
        resolve({ status, headers: response.headers, text, body: parsed(text) });
      });
    });
    request.end(body);
  });
  // An abandoned poll ends with the sandbox; that is no error.
  answer.catch(() => {});
  return answer;
}

/** Writes bytes, and returns everything that comes back until the connection is closed. */
export function exchangeBytes(
  port: number,
  bytes: string | Buffer,
  quietMs = 200,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let received = "";
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    let timer = setTimeout(done, quietMs * 5);
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      clearTimeout(timer);
      timer = setTimeout(done, quietMs);
    });
    socket.on("close", done);
    socket.on("error", done);
    socket.write(bytes);
  });
}

/** Turns of the event loop that are more than enough for a request and its answer. */
const turnsOfARequest = 50;

/** Waits until everything under way in the sockets of this process has arrived. */
export async function settle(ms = 20): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  // A busy machine wakes us before it has read the sockets, so give it more turns.
  for (let turn = 0; turn < turnsOfARequest; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Whether a promise is still open after everything on its way has arrived. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol("open");
  return (await Promise.race([promise, settle().then(() => open)])) === open;
}

function parsed(text: string): Loose {
  try {
    return JSON.parse(text);
  } catch {
    // Some answers are meant not to be JSON.
    return undefined;
  }
}
