/**
 * Mini App listener: serves the Mini App where no webhook listener does.
 *
 * Owns one listening socket and its connections, limited in number and time. A proxy in front terminates TLS.
 */
import type { RequestListener } from "node:http";
import type { Clock } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import { MiniAppListenError } from "../../core/errors.ts";
import type { Heartbeat } from "../../core/heartbeat.ts";
import { HttpListener } from "../../core/http-listener.ts";
import { miniAppConnectionsMax } from "./mini-app-server.ts";

export interface MiniAppListenerDeps {
  readonly clock: Clock;
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
  readonly answer: RequestListener;
}

const limits = {
  connectionsMax: miniAppConnectionsMax,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
};

export class MiniAppListener implements Component {
  readonly name = "mini-app";
  readonly #deps: MiniAppListenerDeps;
  readonly #listener: HttpListener;

  constructor(deps: MiniAppListenerDeps) {
    this.#deps = deps;
    // An error after the start concerns one connection, and the page makes its request again.
    this.#listener = new HttpListener({ ...limits, ...deps, onError: () => {} });
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#listener.port;
  }

  /** Rejects with `MiniAppListenError`. */
  async start(): Promise<void> {
    const { host, port } = this.#deps;
    try {
      await this.#listener.start();
    } catch (cause) {
      throw new MiniAppListenError(`the Mini App cannot listen on ${host} port ${port}`, {
        cause,
        hint: "Stop the program that uses the port, or change MINI_APP_HOST or MINI_APP_PORT.",
      });
    }
  }

  /** Alive while it listens. */
  heartbeat(): Heartbeat {
    const { deaf, listening } = this.#listener;
    return { beats: listening ? 1 : 0, overdueMs: deaf ? Number.MAX_SAFE_INTEGER : 0 };
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }
}
