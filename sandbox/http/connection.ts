/** Connection: one client's socket, and when the client let go of it. */
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

  /** The sandbox is about to close it: what follows is not the client's doing. */
  willClose(): void {
    this.#closedHere = true;
  }

  destroy(): void {
    this.willClose();
    this.socket.destroy();
  }
}
