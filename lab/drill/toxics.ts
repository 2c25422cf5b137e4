/**
 * Toxics: the faults of a link, under the names that Toxiproxy gave them.
 *
 * Source of the eight and of their meaning: github.com/Shopify/toxiproxy, README. The code is our own.
 */

/** The direction of the bytes: to Telegram, or from Telegram. */
export type Direction = "up" | "down";

export type Toxic =
  /** Every chunk arrives `ms` later, give or take the jitter. The order is kept. */
  | { readonly kind: "latency"; readonly ms: number; readonly jitterMs?: number }
  /** The proxy does not listen, and open connections are closed. */
  | { readonly kind: "down" }
  | { readonly kind: "bandwidth"; readonly bytesPerSecond: number }
  /** The end of a connection arrives `ms` later. */
  | { readonly kind: "slow-close"; readonly ms: number }
  /** Nothing passes. The connection is closed after `ms`; with 0 it stays open and silent for ever. */
  | { readonly kind: "timeout"; readonly ms: number }
  /** The connection is reset (RST) after `ms`. */
  | { readonly kind: "reset-peer"; readonly ms: number }
  /** Chunks are cut into pieces of about this size, with a pause between them. */
  | { readonly kind: "slicer"; readonly bytes: number; readonly pauseMs: number }
  /** The connection is closed after this many bytes. */
  | { readonly kind: "limit-data"; readonly bytes: number };

export type ToxicKind = Toxic["kind"];

/** An active toxic, in one direction or in both. */
export interface ActiveToxic {
  readonly toxic: Toxic;
  readonly direction?: Direction;
}

/** The active toxics of one kind in this direction; usually one or none. */
export function toxicsOf<Kind extends ToxicKind>(
  active: Iterable<ActiveToxic>,
  direction: Direction,
  kind: Kind,
): readonly Extract<Toxic, { kind: Kind }>[] {
  const found: Extract<Toxic, { kind: Kind }>[] = [];
  for (const one of active) {
    if (one.direction !== undefined && one.direction !== direction) continue;
    if (one.toxic.kind === kind) found.push(one.toxic as Extract<Toxic, { kind: Kind }>);
  }
  return found;
}
