/** TCP proxy: a network between two processes that can fall silent without anybody being told. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface TcpProxy {
  readonly url: string;
  /** From now on bytes vanish in both directions, while connections stay open: a dead link. */
  silence(): void;
  /** New connections work again; those of before stay dead, as behind a router that was restarted. */
  resume(): void;
}

/** @param target The server behind it, as `http://host:port`. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let silent = false;
  const cutters = new Set<() => void>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    // What was cut off by silence never comes, not even when the link is back.
    let cut = silent;
    cutters.add(() => {
      cut = true;
    });
    const forward = (to: Socket) => (bytes: Buffer) => {
      if (!cut) to.write(bytes);
    };
    near.on("data", forward(far));
    far.on("data", forward(near));
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        if (!cut) other.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    silence: () => {
      silent = true;
      for (const cut of cutters) cut();
    },
    resume: () => {
      silent = false;
    },
  };
}
