/**
 * Fault proxy: a network between two processes, with the faults of toxics.ts.
 *
 * Each direction of a connection is a pipe of its own. Chunks go through it one after another, so every
 * toxic keeps their order. Toxics can be added and removed while bytes flow.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { pause } from "./bot-process.ts";
import { type ActiveToxic, type Direction, type Toxic, toxicsOf } from "./toxics.ts";

/** Removes a toxic. */
export type Cure = () => Promise<void>;

export class FaultProxy {
  #target: { readonly host: string; readonly port: number };
  readonly #random: () => number;
  readonly #active = new Set<ActiveToxic>();
  readonly #links = new Set<Link>();
  #server: Server | undefined;
  #port = 0;

  /** @param target The server behind it, as `http://host:port`. */
  constructor(target: string, random: () => number = Math.random) {
    this.#target = addressOf(target);
    this.#random = random;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Leads to another server from now on. Connections to the one before are closed. */
  leadTo(target: string): void {
    this.#target = addressOf(target);
    for (const link of this.#links) link.close();
  }

  /** Listens; the port stays the same for its whole life. */
  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (near) => this.#join(near));
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const link of this.#links) link.close();
    if (server) await new Promise((closed) => server.close(closed));
  }

  /** @param direction Default: both. */
  async add(toxic: Toxic, direction?: Direction): Promise<Cure> {
    const active: ActiveToxic = { toxic, ...(direction && { direction }) };
    this.#active.add(active);
    if (toxic.kind === "down") await this.stop();
    for (const link of this.#links) link.takeNote();
    return async () => {
      this.#active.delete(active);
      if (toxic.kind === "down" && !this.#server) await this.start();
    };
  }

  #join(near: Socket): void {
    const far = connect({ ...this.#target, allowHalfOpen: true });
    const link = new Link(near, far, this.#active, this.#random);
    this.#links.add(link);
    const forget = () => {
      if (near.closed && far.closed) this.#links.delete(link);
    };
    near.on("close", forget);
    far.on("close", forget);
  }
}

function addressOf(target: string) {
  const { hostname, port } = new URL(target);
  return { host: hostname, port: Number(port) };
}

/** One connection: two pipes and their state. */
class Link {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #active: ReadonlySet<ActiveToxic>;
  readonly #random: () => number;
  /** Directions that a `timeout` toxic has cut off; they stay silent even when the toxic is removed. */
  readonly #cut: Record<Direction, boolean> = { up: false, down: false };
  readonly #passed: Record<Direction, number> = { up: 0, down: 0 };

  constructor(near: Socket, far: Socket, active: ReadonlySet<ActiveToxic>, random: () => number) {
    this.#near = near;
    this.#far = far;
    this.#active = active;
    this.#random = random;
    void this.#pump("up", near, far);
    void this.#pump("down", far, near);
    this.takeNote();
  }

  /** Applies the toxics that affect a connection even while nothing is sent. */
  takeNote(): void {
    for (const direction of ["up", "down"] as const) {
      for (const { ms } of toxicsOf(this.#active, direction, "timeout")) {
        this.#cut[direction] = true;
        if (ms > 0) setTimeout(() => this.close(), ms).unref();
      }
      for (const { ms } of toxicsOf(this.#active, direction, "reset-peer")) {
        setTimeout(() => this.#reset(), ms).unref();
      }
    }
  }

  close(): void {
    this.#near.destroy();
    this.#far.destroy();
  }

  #reset(): void {
    this.#near.resetAndDestroy();
    this.#far.destroy();
  }

  async #pump(direction: Direction, from: Socket, to: Socket): Promise<void> {
    from.on("error", () => {
      // The stream ends, and both sides see that.
    });
    try {
      for await (const chunk of from) await this.#pass(direction, chunk as Buffer, to);
    } catch {
      // The connection broke off, on purpose or not; its other half is ended below.
    }
    if (this.#cut[direction]) return;
    for (const { ms } of toxicsOf(this.#active, direction, "slow-close")) await pause(ms);
    to.end();
    if (from.destroyed && from.errored) to.destroy();
  }

  async #pass(direction: Direction, chunk: Buffer, to: Socket): Promise<void> {
    for (const { jitterMs = 0, ms } of toxicsOf(this.#active, direction, "latency")) {
      await pause(Math.max(0, ms + (2 * this.#random() - 1) * jitterMs));
    }
    for (const piece of this.#slice(direction, chunk)) {
      if (this.#cut[direction]) return;
      const allowed = this.#limit(direction, piece);
      await write(to, allowed);
      if (allowed.length < piece.length) return this.close();
      for (const { bytesPerSecond } of toxicsOf(this.#active, direction, "bandwidth")) {
        await pause((piece.length / bytesPerSecond) * 1000);
      }
      for (const { pauseMs } of toxicsOf(this.#active, direction, "slicer")) await pause(pauseMs);
    }
  }

  /** Cuts the chunk into small pieces for the toxics that need them. */
  #slice(direction: Direction, chunk: Buffer): readonly Buffer[] {
    const [slicer] = toxicsOf(this.#active, direction, "slicer");
    const [narrow] = toxicsOf(this.#active, direction, "bandwidth");
    const bytes = slicer?.bytes ?? (narrow && Math.max(1, Math.ceil(narrow.bytesPerSecond / 20)));
    if (bytes === undefined) return [chunk];
    const pieces: Buffer[] = [];
    for (let start = 0; start < chunk.length; ) {
      const size = slicer ? Math.ceil(bytes * (0.5 + this.#random())) : bytes;
      pieces.push(chunk.subarray(start, start + size));
      start += size;
    }
    return pieces;
  }

  /** The part of the piece that the connection may still carry. */
  #limit(direction: Direction, piece: Buffer): Buffer {
    const limits = toxicsOf(this.#active, direction, "limit-data").map(({ bytes }) => bytes);
    const left = Math.min(...limits) - this.#passed[direction];
    const allowed = piece.subarray(0, Math.max(0, Math.min(left, piece.length)));
    this.#passed[direction] += allowed.length;
    return allowed;
  }
}

async function write(to: Socket, bytes: Buffer): Promise<void> {
  if (bytes.length === 0 || to.destroyed || to.write(bytes)) return;
  await Promise.race([once(to, "drain"), once(to, "close")]).catch(() => {
    // The connection broke off; its reader sees that it ends.
  });
}
