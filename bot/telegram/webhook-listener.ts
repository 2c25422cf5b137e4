/**
 * Webhook listener: the HTTP server that Telegram posts updates to.
 *
 * Takes only what carries the secret, and no more than an update can be long. What it cannot read it
 * answers with 200 all the same: Telegram would bring the same again for a day, before everything else
 * of that chat.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type ErrorRequestHandler, type Express } from "express";
import type { Clock } from "../contracts/clock.ts";
import { WebhookListenError } from "../contracts/errors.ts";
import type { Secret } from "../contracts/secret.ts";

/** What becomes of a request: its update is on disk, or Telegram is to come again. */
export type Verdict = "taken" | { readonly retryAfterSeconds: number };

export interface WebhookListenerDeps {
  readonly clock: Clock;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly secret: Secret;
  /** Connections at a time. */
  readonly connectionsMax: number;
  /** Commits what came. Never rejects. */
  readonly take: (value: unknown) => Promise<Verdict>;
  /** A request without the secret. */
  readonly onRefused: () => void;
}

/** Telegram's events have at most 512 KiB. Source: frameworks.md 1.1, TQueue.cpp. */
const bodyBytesMax = 1024 * 1024;
const requestMsMax = 10_000;
/** Telegram keeps its connections; a proxy in front should close them first. */
const keepAliveMs = 65_000;
/** Milliseconds that requests in hand get at a stop. */
const stopGraceMs = 1_000;

export class WebhookListener {
  readonly #deps: WebhookListenerDeps;
  readonly #server: Server;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: WebhookListenerDeps) {
    this.#deps = deps;
    this.#server = createServer({ connectionsCheckingInterval: 1_000 }, createApp(deps));
    this.#server.maxConnections = deps.connectionsMax;
    this.#server.headersTimeout = requestMsMax;
    this.#server.requestTimeout = requestMsMax;
    this.#server.keepAliveTimeout = keepAliveMs;
  }

  /** The port it listens on. Only between start and stop. */
  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#deps.port;
  }

  /** Rejects with `WebhookListenError`. */
  start(): Promise<void> {
    this.#started ??= this.#listen();
    return this.#started;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#deps;
    if (this.#stopped !== undefined) return;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        this.#server.listen({ host, port, exclusive: true }, () => {
          this.#server.off("error", reject);
          resolve();
        });
      });
    } catch (cause) {
      throw new WebhookListenError(`the webhook cannot listen on ${host} port ${port}`, {
        cause,
        hint: "Stop what uses the port, or set WEBHOOK_HOST and WEBHOOK_PORT to another place.",
      });
    }
    // Later ones (no descriptors left, say) concern one connection each; Telegram comes again.
    this.#server.on("error", () => {});
  }

  async #close(): Promise<void> {
    // A server that is about to listen cannot be closed before it does.
    await this.#started?.catch(() => {});
    if (!this.#server.listening) return;
    const closed = new AbortController();
    const closing = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    await Promise.race([closing, this.#deps.clock.sleep(stopGraceMs, closed.signal)]);
    closed.abort();
    this.#server.closeAllConnections();
    await closing;
  }
}

function createApp({ onRefused, secret, take }: WebhookListenerDeps): Express {
  const expected = digest(secret.reveal());
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use((request, response, next) => {
    const given = request.get("X-Telegram-Bot-Api-Secret-Token") ?? "";
    if (request.method === "POST" && timingSafeEqual(digest(given), expected)) {
      next();
      return;
    }
    onRefused();
    // The rest of a body would come before the next request.
    response.set("Connection", "close").sendStatus(request.method === "POST" ? 401 : 404);
  });
  app.use(express.json({ limit: bodyBytesMax, type: () => true, strict: false }));
  // On any path: a proxy in front may have changed it, and the secret has decided already.
  app.use(async (request, response) => {
    const verdict = await take(request.body);
    if (verdict === "taken") response.sendStatus(200);
    else response.set("Retry-After", String(verdict.retryAfterSeconds)).sendStatus(503);
  });
  const onUnreadable: ErrorRequestHandler = async (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    // Cut off in the middle, it comes again whole; anything else stays what it is.
    const cutOff = error instanceof Error && "type" in error && error.type === "request.aborted";
    if (!cutOff) await take(undefined);
    response.sendStatus(cutOff ? 400 : 200);
  };
  app.use(onUnreadable);
  return app;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
