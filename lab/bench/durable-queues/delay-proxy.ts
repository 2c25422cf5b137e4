/**
 * Delay proxy: the way to a server that is further away, on 127.0.0.1.
 *
 * Each answer arrives so much later than it came, however many are under way: a link that is long and not
 * narrow. (The drill's proxy holds chunks back one after the other.)
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class DelayProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param delayMs Whole milliseconds by which a round trip takes longer. */
  static async start(toPort: number, delayMs: number): Promise<DelayProxy> {
    const server = createServer({ noDelay: true });
    const proxy = new DelayProxy(server);
    server.on("connection", (near) => {
      const far = connect({ port: toPort, host: "127.0.0.1", noDelay: true });
      near.on("data", (chunk) => far.write(chunk));
      // Timers of one length fire in the order in which they were set.
      far.on("data", (chunk) => setTimeout(() => near.write(chunk), delayMs));
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        proxy.#sockets.add(one);
        one.on("error", () => {
          // Its end follows, and ends the other one.
        });
        one.on("close", () => {
          proxy.#sockets.delete(one);
          setTimeout(() => other.destroy(), delayMs);
        });
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((closed) => this.#server.close(closed));
  }
}
