/**
 * Monitoring server: the bot's state over HTTP, for this machine only unless configured otherwise.
 *
 * Owns one listening socket and its connections, all of them limited in number and time. It takes
 * what it shows and does from functions given to it (bot.ts) and knows no other part of the bot. Its
 * addresses are rows of a table (route-table.ts).
 */
import { createServer, type Server } from "node:http";
import { type AddressInfo, isIPv4 } from "node:net";
import { type Clock, systemClock } from "../contracts/clock.ts";
import type { Component } from "../contracts/component.ts";
import { BotError, recordError } from "../contracts/errors.ts";
import type { Publish } from "../contracts/events.ts";
import type { Heartbeat } from "../contracts/heartbeat.ts";
import { createApplication } from "./application.ts";
import type { ApiTokens } from "./authentication.ts";
import type { MonitoringActions, MonitoringView } from "./bot.ts";
import type { EventStream } from "./event-stream.ts";
import { describeApi } from "./openapi.ts";
import { RateLimits } from "./rate-limits.ts";
import { routeTable } from "./route-table.ts";

export interface MonitoringServerDeps {
  /** Other than loopback, reading needs a token, too. */
  readonly host: string;
  /** 0 takes a free one; `address()` says which. */
  readonly port: number;
  readonly publish: Publish;
  readonly view: MonitoringView;
  readonly actions: MonitoringActions;
  /** Outlives this server, so that its clients miss nothing when it is restarted. */
  readonly stream: EventStream;
  readonly tokens: () => ApiTokens;
  /** Names under which others reach it. Default: none. */
  readonly hostNames?: readonly string[];
  /** Of the bot, for the document. */
  readonly version: string;
  /** Told on which port it listens. */
  readonly onListening?: (port: number) => void;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Another process listens on the port. */
export class MonitoringPortInUseError extends BotError {
  override readonly code = "MONITORING_PORT_TAKEN";
  override readonly transient = true;
}

/** The address cannot be listened on: not of this machine, or not allowed. */
export class MonitoringListenError extends BotError {
  override readonly code = "MONITORING_LISTEN_FAILED";
  override readonly transient = false;
}

/** Limits of the socket; milliseconds and pieces. */
const limits = {
  connectionsMax: 64,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
  checkEveryMs: 1_000,
  headerBytesMax: 8 * 1024,
};

/** Milliseconds that answers in hand get at a stop. */
const stopGraceMs = 1_000;

export class MonitoringServer implements Component {
  readonly name = "monitoring";
  readonly #deps: MonitoringServerDeps;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #limits = new RateLimits();
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: MonitoringServerDeps) {
    this.#deps = deps;
    this.#clock = deps.clock ?? systemClock;
    const { actions, hostNames: names = [], publish, stream, tokens, version, view } = deps;
    const port = () => this.address().port;
    const document = describeApi(routeTable, version);
    const application = createApplication({
      table: routeTable,
      bot: { clock: this.#clock, view, actions, stream, document },
      publish,
      tokens,
      hosts: { loopback: isLoopback(deps.host), names, port },
      limits: this.#limits,
    });
    const { checkEveryMs, headerBytesMax } = limits;
    this.#server = createServer(
      { connectionsCheckingInterval: checkEveryMs, maxHeaderSize: headerBytesMax },
      application,
    );
    this.#server.maxConnections = limits.connectionsMax;
    this.#server.headersTimeout = limits.headersMs;
    this.#server.requestTimeout = limits.requestMs;
    this.#server.keepAliveTimeout = limits.keepAliveMs;
  }

  /** Where it listens. Only between start and stop. */
  address(): { readonly host: string; readonly port: number } {
    const address = this.#server.address() as AddressInfo | null;
    return { host: this.#deps.host, port: address?.port ?? this.#deps.port };
  }

  /** Base address, without a slash at the end. */
  get url(): string {
    const { host, port } = this.address();
    return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  /** Rejects with `MonitoringPortInUseError` or `MonitoringListenError`. */
  start(): Promise<void> {
    this.#started ??= this.#listen();
    return this.#started;
  }

  /** It lives while it listens. */
  heartbeat(): Heartbeat {
    const deaf = this.#started !== undefined && !this.#stopped && !this.#server.listening;
    return { beats: this.#server.listening ? 1 : 0, overdueMs: deaf ? Number.MAX_SAFE_INTEGER : 0 };
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #listen(): Promise<void> {
    const { host, port, publish } = this.#deps;
    if (this.#stopped !== undefined) return;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        this.#server.listen({ host, port, exclusive: true }, () => {
          this.#server.off("error", reject);
          this.#deps.onListening?.(this.address().port);
          resolve();
        });
      });
    } catch (cause) {
      const taken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
      if (taken) {
        throw new MonitoringPortInUseError(`the monitoring API's port ${port} is taken`, {
          cause,
          hint: "Stop the other process, or set MONITORING_PORT to another port (0: any free one).",
        });
      }
      throw new MonitoringListenError(`the monitoring API cannot listen on ${host} port ${port}`, {
        cause,
        hint: "Check MONITORING_HOST and MONITORING_PORT; ports below 1024 need special rights.",
      });
    }
    // Later ones (no descriptors left, say) concern one connection each.
    this.#server.on("error", (reason) => {
      publish({ type: "api.failed", path: "", error: recordError(reason, this.#clock.epochMs()) });
    });
  }

  async #close(): Promise<void> {
    // A server that is about to listen cannot be closed before it does.
    await this.#started?.catch(() => {});
    this.#limits.close();
    if (!this.#server.listening) return;
    const closed = new AbortController();
    const closing = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#deps.stream.disconnect();
    this.#server.closeIdleConnections();
    await Promise.race([closing, this.#clock.sleep(stopGraceMs, closed.signal)]);
    closed.abort();
    this.#server.closeAllConnections();
    await closing;
  }
}

/** Whether only this machine can reach the address. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
