/**
 * Monitoring server: the bot's state over HTTP, for this machine only unless configured otherwise.
 *
 * Owns one listening socket and its connections, all of them limited in number and time. It
 * shows and does things only through functions that it is given (view-and-actions.ts) and knows no other
 * part of the bot. Its addresses are rows of a table (route-table.ts).
 */
import { isIPv4 } from "node:net";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import { BotError, recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import { exitCode } from "../core/exit-code.ts";
import type { Heartbeat } from "../core/heartbeat.ts";
import { HttpListener } from "../core/http-listener.ts";
import { createApplication } from "./application.ts";
import type { ApiTokens } from "./authentication.ts";
import type { EventStream } from "./event-stream.ts";
import { describeApi } from "./openapi.ts";
import { RateLimits } from "./rate-limits.ts";
import { routeTable } from "./route-table.ts";
import type { MonitoringActions, MonitoringView } from "./view-and-actions.ts";

export interface MonitoringServerDeps {
  /** The address to listen on. On any but loopback, reading needs a token too. */
  readonly host: string;
  /** 0 takes a free one; `address()` says which. */
  readonly port: number;
  readonly publish: Publish;
  readonly view: MonitoringView;
  readonly actions: MonitoringActions;
  /** The stream outlives this server, so that clients miss nothing when the server is restarted. */
  readonly stream: EventStream;
  readonly tokens: () => ApiTokens;
  /** Names under which others reach the API. Default: none. */
  readonly hostNames?: readonly string[];
  /** The bot's version, for the OpenAPI document. */
  readonly version: string;
  /** Called with the port when the server listens. */
  readonly onListening?: (port: number) => void;
  /** Default: the system clock. */
  readonly clock?: Clock;
}

/** Another process listens on the port. */
export class MonitoringPortInUseError extends BotError {
  override readonly code = "MONITORING_PORT_TAKEN";
  override readonly transient = true;
  override readonly exitCode = exitCode.tryAgain;
}

/** The server cannot listen at the address: it is not of this machine, or not allowed. */
export class MonitoringListenError extends BotError {
  override readonly code = "MONITORING_LISTEN_FAILED";
  override readonly transient = false;
}

/** Limits of the socket: a number of connections, and milliseconds. */
const socketLimits = {
  connectionsMax: 64,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
};

export class MonitoringServer implements Component {
  readonly name = "monitoring";
  readonly #deps: MonitoringServerDeps;
  readonly #listener: HttpListener;
  readonly #limits = new RateLimits();

  constructor(deps: MonitoringServerDeps) {
    this.#deps = deps;
    const { actions, host, hostNames: names = [], publish, stream, tokens, version, view } = deps;
    const clock = deps.clock ?? systemClock;
    let document: object | undefined;
    const answer = createApplication({
      table: routeTable,
      bot: {
        ...{ clock, view, actions, stream },
        // Made when somebody asks for it, because few do and a start has no time to lose.
        get document() {
          document ??= describeApi(routeTable, version);
          return document;
        },
      },
      publish,
      tokens,
      hosts: { loopback: isLoopback(host), names, port: () => this.#listener.port },
      limits: this.#limits,
    });
    const onError = (error: Error) => {
      publish({ type: "api.failed", path: "", error: recordError(error, clock.epochMs()) });
    };
    const { port } = deps;
    this.#listener = new HttpListener({ ...socketLimits, host, port, clock, answer, onError });
  }

  /** The address at which it listens. Call it only between start and stop. */
  address(): { readonly host: string; readonly port: number } {
    return { host: this.#deps.host, port: this.#listener.port };
  }

  /** Base address, without a slash at the end. */
  get url(): string {
    const { host, port } = this.address();
    return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  /** Rejects with `MonitoringPortInUseError` or `MonitoringListenError`. */
  async start(): Promise<void> {
    const { host, onListening, port } = this.#deps;
    try {
      await this.#listener.start();
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
    if (this.#listener.listening) onListening?.(this.#listener.port);
  }

  /** Alive while it listens. */
  heartbeat(): Heartbeat {
    const { deaf, listening } = this.#listener;
    return { beats: listening ? 1 : 0, overdueMs: deaf ? Number.MAX_SAFE_INTEGER : 0 };
  }

  stop(): Promise<void> {
    return this.#listener.stop(() => {
      this.#limits.close();
      // Event streams never end by themselves.
      this.#deps.stream.disconnect();
    });
  }
}

/** Whether only this machine can reach the address. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
