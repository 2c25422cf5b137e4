/** Connection: one client's socket, and when the client closed it. */
import type { Socket } from "node:net";

export class Connection {
  readonly socket: Socket;
  /** When the client closed it; undefined while it lives, or when the sandbox closed it. */
  clientGoneAtMs: number | undefined;
  #closedHere = false;

  constructor(socket: Socket, nowMs: () => number) {
    this.socket = socket;
    const gone = () => {
      if (!this.#closedHere) this.clientGoneAtMs ??= nowMs();
    };
    socket.once("end", gone);
    socket.once("close", gone);
  }

  get clientConnected(): boolean {
    return this.clientGoneAtMs === undefined && !this.socket.destroyed;
  }

  /** Called before the sandbox closes it, so that this does not count as the client's close. */
  willClose(): void {
    this.#closedHere = true;
  }

  destroy(): void {
    this.willClose();
    this.socket.destroy();
  }
}
