/**
 * Listener: the socket side of the server. It reads whole requests and passes them on.
 *
 * A request that cannot be read gets the answer of Telegram's HTTP layer: a status, no body, and a
 * closed connection. No input makes it crash or keep more bytes than the limit of a body.
 * Source: tdlib/telegram-bot-api, HttpConnection.cpp; tdlib/td, HttpReader.cpp, HttpConnectionBase.cpp.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { gunzipSync, inflateSync } from "node:zlib";
import { empty } from "./answer.ts";
import { UnacceptableBodyError } from "./body.ts";
import { Connection } from "./connection.ts";
import { Exchange } from "./exchange.ts";

/** Called with every request that could be read. Must not throw. */
export type ExchangeHandler = (exchange: Exchange) => void;

/** api.telegram.org's limit for uploads (50 MB), and room for the other fields. */
const bodyBytesMax = 52 * 2 ** 20;
const headerBytesMax = 256 * 2 ** 10;
const keepAliveMs = 500_000;
const nothing = Buffer.alloc(0);

const statusOfParserError: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_INVALID_TRANSFER_ENCODING: 501,
  HPE_INVALID_METHOD: 501,
  HPE_INVALID_VERSION: 505,
};

export class Listener {
  readonly #handle: ExchangeHandler;
  readonly #nowMs: () => number;
  readonly #connections = new Map<Socket, Connection>();
  #server: Server | undefined;

  constructor(handle: ExchangeHandler, nowMs: () => number) {
    this.#handle = handle;
    this.#nowMs = nowMs;
  }

  /** Rejects when the port is not available. @returns the port. */
  async open(host: string, port: number): Promise<number> {
    const server = createServer({ maxHeaderSize: headerBytesMax, requestTimeout: 0 });
    server.keepAliveTimeout = keepAliveMs;
    server.on("connection", (socket) => this.#track(socket));
    server.on("request", (request, response) => this.#read(request, response));
    server.on("clientError", refuse);
    server.on("connect", (_request, socket) => refuse({ code: "HPE_INVALID_METHOD" }, socket));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  /** Closes the listener and cuts every connection. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const connection of this.#connections.values()) connection.destroy();
    await closed;
  }

  #track(socket: Socket): void {
    this.#connections.set(socket, new Connection(socket, this.#nowMs));
    socket.setNoDelay(true);
    socket.once("close", () => this.#connections.delete(socket));
  }

  #read(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (!connection) return;
    response.sendDate = false;
    const refuseWith = (status: number) =>
      new Exchange(request, response, connection, nothing).send(empty(status), () => {});
    const handle = (raw: Buffer) => {
      const { method } = request;
      if (method !== "GET" && method !== "POST") return refuseWith(501);
      const body = decoded(request, raw);
      if (typeof body === "number") return refuseWith(body);
      this.#handle(new Exchange(request, response, connection, body));
    };
    if (request.headers["content-length"] === undefined && !isChunked(request)) {
      request.resume();
      handle(nothing);
    } else {
      collect(request, handle, refuseWith);
    }
  }
}

function isChunked(request: IncomingMessage): boolean {
  return request.headers["transfer-encoding"] !== undefined;
}

function collect(
  request: IncomingMessage,
  onBody: (body: Buffer) => void,
  onRefused: (status: number) => void,
): void {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  request.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= bodyBytesMax) chunks.push(chunk);
    else chunks = [];
  });
  request.on("error", () => {
    // The client has left in the middle of its request, so there is no one to answer.
  });
  request.on("end", () => {
    // The rest was read and dropped, because a client that is still writing reads no answer.
    if (sizeBytes > bodyBytesMax) onRefused(413);
    else onBody(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
  });
}

/** The body without its content encoding, or the status that refuses it. */
function decoded(request: IncomingMessage, body: Buffer): Buffer | number {
  const encoding = request.headers["content-encoding"]?.toLowerCase();
  if (encoding === undefined || encoding === "identity" || encoding === "") return body;
  try {
    const limits = { maxOutputLength: bodyBytesMax };
    if (encoding === "gzip") return gunzipSync(body, limits);
    if (encoding === "deflate") return inflateSync(body, limits);
    throw new UnacceptableBodyError(415, `content encoding ${encoding}`);
  } catch (error) {
    if (error instanceof UnacceptableBodyError) return error.status;
    const tooLarge = (error as { code?: unknown }).code === "ERR_BUFFER_TOO_LARGE";
    return tooLarge ? 413 : 400;
  }
}

function refuse(error: { code?: string }, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusOfParserError[error.code ?? ""] ?? 400;
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
