/**
 * Toxics: what can be wrong with a link, under the names Toxiproxy gave them.
 *
 * Source of the eight and of their meaning: github.com/Shopify/toxiproxy, README. Written anew.
 */

/** Which way bytes go that it works on: to Telegram, from Telegram. */
export type Direction = "up" | "down";

export type Toxic =
  /** Every chunk comes so much later, more or less the jitter; order is kept. */
  | { readonly kind: "latency"; readonly ms: number; readonly jitterMs?: number }
  /** Nobody listens, and what was open is closed. */
  | { readonly kind: "down" }
  | { readonly kind: "bandwidth"; readonly bytesPerSecond: number }
  /** The end of a connection arrives so much later. */
  | { readonly kind: "slow-close"; readonly ms: number }
  /** Nothing passes. The connection is closed after `ms`; 0: never, and it stays dead for ever. */
  | { readonly kind: "timeout"; readonly ms: number }
  /** The connection is reset (RST) after so long. */
  | { readonly kind: "reset-peer"; readonly ms: number }
  /** Chunks are cut into pieces of about this size, with a pause between them. */
  | { readonly kind: "slicer"; readonly bytes: number; readonly pauseMs: number }
  /** The connection is closed after so many bytes. */
  | { readonly kind: "limit-data"; readonly bytes: number };

export type ToxicKind = Toxic["kind"];

/** A toxic at work, on one direction or on both. */
export interface ActiveToxic {
  readonly toxic: Toxic;
  readonly direction?: Direction;
}

/** The active toxics of one kind that work in this direction; usually one or none. */
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
