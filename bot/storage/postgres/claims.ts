/** Claims: which heads a claim looks at, in which order, and what its admission says of them. */
import { type Message, type Pool, priorities } from "../../core/message.ts";
import type { ClaimRequest } from "../../core/store.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { type MessageRow, toCandidate, toMessage } from "../sqlite/message-rows.ts";
import { places } from "../sqlite/sealed-columns.ts";
import type { Held, WorkRow } from "./queue-work.ts";

/** A row that `turn_2` gives back. */
export interface TurnRow extends WorkRow {
  readonly pool: Pool;
  readonly lane: string;
  readonly priority: number;
  readonly available_at: number | null;
  readonly pos: number;
  readonly claims: number;
  readonly payload: Uint8Array;
}

/** One look at the ready heads. */
export interface Pass {
  readonly pool: Pool;
  /** One after the other. */
  readonly priorities?: readonly number[];
  /** Heads available since then. */
  readonly due?: number;
  readonly limit: number;
  readonly suspects?: ClaimRequest["suspects"];
  readonly ask?: boolean;
  readonly ids?: readonly number[];
  readonly later_ids?: readonly number[];
  readonly later_at?: readonly number[];
}

/** More heads are shown than wanted, because admission refuses some; the next claim sees the rest. */
const shownPerWanted = 2;

/** @param ask Whether heads are only shown, for the admission to choose. */
export function passesOf(request: ClaimRequest, now: number, ask: boolean): readonly Pass[] {
  const { agedBefore, agedLimit, atLeast = "low", limit, pool, suspects } = request;
  const upTo = (wanted: number) => (ask ? wanted * shownPerWanted : wanted);
  const common = { pool, suspects, ask };
  if (suspects === "only") return [{ ...common, priorities: [0], due: now, limit: upTo(limit) }];
  const lowest = priorities.indexOf(atLeast);
  const aged = upTo(Math.min(agedLimit, limit));
  const agedPasses = [
    { ...common, priorities: [2], due: agedBefore.low, limit: aged },
    { ...common, priorities: [1], due: agedBefore.normal, limit: aged },
  ].filter(({ priorities: [priority = 0] }) => aged > 0 && priority <= lowest);
  const all = [0, 1, 2].filter((priority) => priority <= lowest);
  return [...agedPasses, { ...common, priorities: all, due: now, limit: upTo(limit) }];
}

/** The admission's answers. */
export interface Admitted {
  readonly ids: readonly number[];
  readonly laterIds: readonly number[];
  readonly laterAt: readonly number[];
}

/** @param shown In the order in which they may be taken. */
export function admit(
  shown: readonly TurnRow[],
  { admit: ask, limit }: ClaimRequest & { admit: NonNullable<ClaimRequest["admit"]> },
): Admitted {
  const ids: number[] = [];
  const later = new Map<number, number>();
  let skipped: number | undefined;
  for (const row of shown) {
    const id = row.id as number;
    if (ids.length >= limit) break;
    if (row.priority === skipped || ids.includes(id) || later.has(id)) continue;
    const admission = ask(toCandidate(row as unknown as MessageRow, row.priority));
    if (admission === "stop") break;
    if (admission === "take") ids.push(id);
    else if (admission === "next-priority") skipped = row.priority;
    else later.set(id, Math.ceil(admission.notBeforeEpochMs));
  }
  return { ids, laterIds: [...later.keys()], laterAt: [...later.values()] };
}

/** A claimed message, and what this process notes of it. */
export function claimedOf(
  claimed: TurnRow,
  ring: KeyRing,
): { readonly held: Held; readonly message: Message } {
  const { claims, payload, ...rest } = claimed;
  const row = rest as unknown as MessageRow;
  const text = ring.open(payload, places.payload(row));
  // Only an attempt before, or the message's life as a dead letter, can have left results of steps.
  const steps = claims > 1 || row.origin !== null;
  return { held: { row, claims, steps }, message: toMessage(row, text, claims) };
}
