/**
 * Exchange: one request with its body, and the ways to answer it, faulty ones included.
 *
 * The faulty ways write the same bytes to the socket as a broken proxy or a dying server.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Answer } from "./answer.ts";
import type { Connection } from "./connection.ts";

export class Exchange {
  readonly request: IncomingMessage;
  readonly connection: Connection;
  readonly body: Buffer;
  readonly #response: ServerResponse;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    connection: Connection,
    body: Buffer,
  ) {
    this.request = request;
    this.connection = connection;
    this.body = body;
    this.#response = response;
  }

  /** Sends the Bot API's answer. Calls back once it is written, unless the client has left. */
  send(answer: Answer, onWritten: () => void): void {
    const headers = ["Content-Length", String(Buffer.byteLength(answer.body))];
    if (answer.body !== "") headers.push("Content-Type", "application/json");
    if (answer.retryAfterS !== undefined) headers.push("Retry-After", String(answer.retryAfterS));
    this.#finish(answer.status, headers, answer.body, answer.close === true, onWritten);
  }

  /** Sends other content: pages, files, the control API's answers. */
  sendContent(
    status: number,
    contentType: string,
    body: string | Buffer,
    more: readonly string[] = [],
  ): void {
    const headers = ["Content-Length", String(Buffer.byteLength(body))];
    headers.push("Content-Type", contentType, ...more);
    this.#finish(status, headers, body, false, () => {});
  }

  /** Sends the head of an answer, and then nothing. */
  sendHeadOnly(answer: Answer): void {
    const length = String(Buffer.byteLength(answer.body));
    this.#response.writeHead(answer.status, [
      "Content-Type",
      "application/json",
      "Content-Length",
      length,
    ]);
    this.#response.flushHeaders();
  }

  /** Sends half of an answer's body, then closes the connection. */
  sendCut(answer: Answer, framing: "content-length" | "chunked"): void {
    const body = Buffer.from(answer.body);
    const half = body.subarray(0, Math.floor(body.length / 2));
    const lines = [`HTTP/1.1 ${answer.status} OK`, "Content-Type: application/json"];
    if (framing === "content-length") lines.push(`Content-Length: ${body.length}`);
    else lines.push("Transfer-Encoding: chunked");
    const head = `${lines.join("\r\n")}\r\n\r\n`;
    const chunk = framing === "chunked" ? `${half.length.toString(16)}\r\n` : "";
    const end = framing === "chunked" ? "\r\n" : "";
    this.connection.willClose();
    const { socket } = this.connection;
    socket.write(Buffer.concat([Buffer.from(head + chunk), half, Buffer.from(end)]), () =>
      socket.destroySoon(),
    );
  }

  destroy(): void {
    this.connection.destroy();
  }

  #finish(
    status: number,
    headers: string[],
    body: string | Buffer,
    close: boolean,
    onWritten: () => void,
  ): void {
    const response = this.#response;
    if (response.destroyed || !this.connection.clientConnected) return;
    if (close || !response.shouldKeepAlive) {
      response.shouldKeepAlive = false;
      this.connection.willClose();
    }
    response.writeHead(status, headers);
    response.end(body, onWritten);
  }
}
