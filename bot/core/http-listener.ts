/**
 * HTTP listener: one listening socket and its connections, all of them limited in number and time.
 *
 * It lives once, as a component does. Its owner decides what it answers.
 */
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";

export interface HttpListenerDeps {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly answer: RequestListener;
  /** Connections at a time. */
  readonly connectionsMax: number;
  /** Milliseconds in which a request's headers have to be here. */
  readonly headersMs: number;
  /** Milliseconds in which a whole request has to be here. */
  readonly requestMs: number;
  /** Milliseconds for which a silent connection is kept. */
  readonly keepAliveMs: number;
  /** Called for socket errors after the start, such as running out of file descriptors. */
  readonly onError: (error: Error) => void;
}

// An import of node:http reads all its exports, and that of WebSocket loads a whole HTTP client: 13 MB and
// 60 ms (measured, Node.js 24.21).
const { createServer } = process.getBuiltinModule("node:http");

const headerBytesMax = 8 * 1024;
const checkEveryMs = 1_000;
/** Milliseconds that answers under way get at a stop. */
const stopGraceMs = 1_000;

export class HttpListener {
  readonly #deps: HttpListenerDeps;
  readonly #server: Server;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: HttpListenerDeps) {
    this.#deps = deps;
    this.#server = createServer(
      { connectionsCheckingInterval: checkEveryMs, maxHeaderSize: headerBytesMax },
      deps.answer,
    );
    this.#server.maxConnections = deps.connectionsMax;
    this.#server.headersTimeout = deps.headersMs;
    this.#server.requestTimeout = deps.requestMs;
    this.#server.keepAliveTimeout = deps.keepAliveMs;
  }

  /** The one it listens on; before that, the one it was given. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#deps.port;
  }

  /** Whether it should be listening and is not. */
  get deaf(): boolean {
    return this.#started !== undefined && !this.#stopped && !this.#server.listening;
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** Rejects with what the system says. After a stop it does nothing. */
  start(): Promise<void> {
    this.#started ??= this.#stopped === undefined ? this.#listen() : Promise.resolve();
    return this.#started;
  }

  /** Lets answers under way finish for a second. Never rejects. @param first Called before that wait. */
  stop(first: () => void = () => {}): Promise<void> {
    this.#stopped ??= this.#close(first);
    return this.#stopped;
  }

  async #listen(): Promise<void> {
    const { host, onError, port } = this.#deps;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#server.on("error", onError);
  }

  async #close(first: () => void): Promise<void> {
    // A server that is about to listen cannot be closed before it does.
    await this.#started?.catch(() => {});
    first();
    if (!this.#server.listening) return;
    const closing = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await withDeadline(this.#deps.clock, stopGraceMs, () => closing, { late: () => {} });
    this.#server.closeAllConnections();
    await closing;
  }
}
