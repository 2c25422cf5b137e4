/** Raw server: answers HTTP requests with any bytes a test chooses. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface RawRequest {
  /** The first line, for example "POST /path HTTP/1.1". */
  readonly line: string;
  /** The whole head as received. */
  readonly head: string;
  readonly body: string;
}

export interface RawServer {
  readonly port: number;
  readonly requests: readonly RawRequest[];
}

/** @param answer Gets the socket and the whole request, and may do anything with the socket. */
export async function startRawServer(
  answer: (socket: Socket, request: RawRequest) => void,
): Promise<RawServer> {
  const requests: RawRequest[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      const request = parseRequest(received);
      if (!request) return;
      received = "";
      requests.push(request);
      answer(socket, request);
    });
    // Tests break connections on purpose.
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return { port: typeof address === "object" && address ? address.port : 0, requests };
}

/** Returns a complete HTTP answer. */
export function httpAnswer(status: number, body: string, headers = ""): string {
  const length = Buffer.byteLength(body);
  return `HTTP/1.1 ${status} Status\r\ncontent-length: ${length}\r\n${headers}\r\n${body}`;
}

/** Returns an answer in the Bot API's form. */
export function apiAnswer(status: number, answer: object): string {
  return httpAnswer(status, JSON.stringify(answer), "content-type: application/json\r\n");
}

function parseRequest(received: string): RawRequest | undefined {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = received.slice(0, end);
  const body = received.slice(end + 4);
  const chunked = /transfer-encoding: chunked/i.test(head);
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  if (chunked ? !body.endsWith("0\r\n\r\n") : body.length < length) return undefined;
  return { line: head.slice(0, head.indexOf("\r\n")), head, body };
}
