/**
 * Bot API client: makes HTTP calls to Telegram or to another Bot API server.
 *
 * Owns a pool of kept-alive connections. Every call has a deadline. Every failure is a
 * `TelegramError` that says whether the call may have been executed and never contains the token.
 */
import type { Dispatcher } from "undici";
import type { BotApi, CallOptions } from "../../core/bot-api.ts";
import type { Clock } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import type { Ending } from "../../core/ending.ts";
import {
  CallNotSentError,
  CallUnknownError,
  FileGoneError,
  TelegramError,
} from "../../core/errors.ts";
import type { FileStore } from "../../core/file-store.ts";
import type { JsonObject } from "../../core/message.ts";
import type { Secret } from "../../core/secret.ts";
import { exchange } from "./exchange.ts";
import { extractFiles, type FilePart, mayHoldFile } from "./file-parts.ts";
import { createMultipart, type MultipartFile } from "./multipart.ts";
import { readAnswer } from "./read-answer.ts";
import { Pool, proxyAgent } from "./undici-parts.ts";

/** One route to the Bot API. */
export interface ApiRoute {
  readonly apiRoot: string;
  /** For everything but loopback addresses; a secret, because it may hold a password. */
  readonly httpsProxy?: Secret;
}

export interface BotApiClientDeps {
  readonly token: Secret;
  /** The Bot API's address; a path prefix is kept. Default https://api.telegram.org. */
  readonly apiRoot: string;
  /** Other routes, tried in turn when this one fails (`renew`). */
  readonly fallbacks?: readonly ApiRoute[];
  readonly clock: Clock;
  /** Where the files of recorded calls are. Default: there are none. */
  readonly files?: Pick<FileStore, "open">;
  /** Milliseconds that a call may take unless its options say otherwise. */
  readonly deadlineMs: number;
  /** Maximum number of connections, including the long poll's. */
  readonly connections: number;
  /** Proxy for everything but loopback addresses; a secret, because it may hold a password. */
  readonly httpsProxy?: Secret;
}

/** The server cuts an answer to getUpdates at 4 MiB; a far larger one is not Telegram's. */
const answerBytesMax = 32 * 1024 * 1024;
const connectTimeoutMs = 5_000;
const jsonHeaders = { "content-type": "application/json" };

export class BotApiClient implements BotApi {
  readonly #deps: BotApiClientDeps;
  readonly #routes: readonly ApiRoute[];
  /** Pools that still have calls under way. */
  readonly #retired = new Set<Dispatcher>();
  #routeIndex = 0;
  #pool: ConnectionPool;

  constructor(deps: BotApiClientDeps) {
    this.#deps = deps;
    const { apiRoot, fallbacks = [], httpsProxy } = deps;
    this.#routes = [{ apiRoot, ...(httpsProxy && { httpsProxy }) }, ...fallbacks];
    this.#pool = openPool(deps, this.#routes[0] as ApiRoute);
  }

  /**
   * Switches to fresh connections, so that names are resolved again. Calls under way go on.
   *
   * @param change Whether to take the next route to the Bot API, if there is one.
   */
  renew(change: boolean): void {
    if (change) this.#routeIndex = (this.#routeIndex + 1) % this.#routes.length;
    const { dispatcher } = this.#pool;
    this.#pool = openPool(this.#deps, this.#routes[this.#routeIndex] as ApiRoute);
    this.#retired.add(dispatcher);
    void dispatcher.close().finally(() => this.#retired.delete(dispatcher));
  }

  /** Figures of the connection pool, for operators. */
  get pool(): PoolFigures {
    const { dispatcher } = this.#pool;
    const {
      connected = 0,
      pending = 0,
      running = 0,
    } = dispatcher instanceof Pool ? dispatcher.stats : {};
    const route = this.#routeIndex;
    return { connected, running, pending, connectionsMax: this.#deps.connections, route };
  }

  async call<T = unknown>(
    method: string,
    payload: JsonObject,
    { signal, deadlineMs = this.#deps.deadlineMs }: CallOptions = {},
  ): Promise<T> {
    // When the deadline passes first, it aborts the request and its connection.
    const exchange = (ending: Ending) => this.#exchange<T>(method, payload, ending);
    const late = () => {
      throw new CallUnknownError(`${method}: no complete answer within ${deadlineMs} ms`);
    };
    try {
      return await withDeadline(this.#deps.clock, deadlineMs, exchange, { late, signal });
    } catch (error) {
      if (error instanceof TelegramError) throw error;
      throw classifyFailure(method, error);
    }
  }

  async #exchange<T>(method: string, payload: JsonObject, ending: Ending): Promise<T> {
    const text = JSON.stringify(payload);
    const content = mayHoldFile(text)
      ? await this.#contentWithFiles(payload)
      : { headers: jsonHeaders, body: text };
    const { dispatcher, origin, prefix } = this.#pool;
    const request: Dispatcher.DispatchOptions = {
      origin,
      path: `${prefix}${method}`,
      method: "POST",
      headers: content.headers,
      body: content.body,
      // The call's own deadline covers everything; these would only cut a long poll short.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    const answer = await exchange(dispatcher, request, ending);
    return readAnswer(method, answer.status, answer.headers, answer.text) as T;
  }

  async #contentWithFiles(payload: JsonObject) {
    const { fields, files } = extractFiles(payload);
    if (files.length === 0) return { headers: jsonHeaders, body: JSON.stringify(fields) };
    return createMultipart(fields, await this.#openFiles(files));
  }

  #openFiles(files: readonly FilePart[]): Promise<readonly MultipartFile[]> {
    return Promise.all(files.map((file) => openFile(this.#deps.files, file)));
  }

  /** Closes every connection; calls under way fail. */
  async close(): Promise<void> {
    const all = [this.#pool.dispatcher, ...this.#retired];
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }
}

/** The state of the connection pool. */
export interface PoolFigures {
  readonly connected: number;
  readonly running: number;
  readonly pending: number;
  readonly connectionsMax: number;
  /** Index of the route in use; 0 is the first. */
  readonly route: number;
}

interface ConnectionPool {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** The path up to the method's name. */
  readonly prefix: string;
}

function openPool(deps: BotApiClientDeps, route: ApiRoute): ConnectionPool {
  const { apiRoot } = route;
  const root = new URL(apiRoot.endsWith("/") ? apiRoot : `${apiRoot}/`);
  return {
    dispatcher: createDispatcher(root, deps.connections, route.httpsProxy),
    origin: root.origin,
    prefix: `${root.pathname}bot${deps.token.reveal()}/`,
  };
}

function createDispatcher(root: URL, connections: number, httpsProxy?: Secret): Dispatcher {
  const common = {
    connections,
    pipelining: 1,
    keepAliveTimeout: 60_000,
    keepAliveMaxTimeout: 300_000,
    maxResponseSize: answerBytesMax,
  };
  const loopback = ["localhost", "127.0.0.1", "[::1]"].includes(root.hostname);
  if (httpsProxy && !loopback) {
    return proxyAgent({ ...common, uri: httpsProxy.reveal(), proxyTunnel: true });
  }
  return new Pool(root.origin, { ...common, connect: { timeout: connectTimeoutMs } });
}

/** Opens the files before anything is sent, so that one that is gone costs no broken upload. */
async function openFile(
  store: Pick<FileStore, "open"> | undefined,
  { content, field, filename }: FilePart,
): Promise<MultipartFile> {
  if ("base64" in content) {
    const bytes = Buffer.from(content.base64, "base64");
    return { field, filename, bytes: bytes.length, content: [bytes] };
  }
  if (!store) throw new FileGoneError(content.file.name);
  const { bytes } = content.file;
  return { field, filename, bytes, content: await store.open(content.file) };
}

/** Failures that happen before anything is written. Source: libuv errors, undici's error list. */
const notSentCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENETDOWN",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "EADDRNOTAVAIL",
  "EMFILE",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function classifyFailure(method: string, error: unknown): TelegramError {
  const code = failureCode(error);
  // The original error is not kept as the cause, because its URL may contain the token.
  if (notSentCodes.has(code) || isTlsOrProxyFailure(code, error)) {
    return new CallNotSentError(`${method}: no connection (${code})`);
  }
  return new CallUnknownError(`${method}: the connection broke (${code})`);
}

function failureCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return failureCode(error.errors[0]);
  }
  if (!(error instanceof Error)) return "UNKNOWN";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.name;
}

function isTlsOrProxyFailure(code: string, error: unknown): boolean {
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) return true;
  return error instanceof Error && error.message.startsWith("Proxy response");
}
