/**
 * Queue work: what one call of `queue_work_2` or `turn_2` ends and queues, and what its rows say.
 *
 * Several callers share a call; each keeps the slice that it added.
 */
import { AttemptOverError } from "../../core/errors.ts";
import type { Pool } from "../../core/message.ts";
import type { AttemptOutcome, AttemptRef, EnqueueResult, SentRecord } from "../../core/store.ts";
import type { KeyRing } from "../sealing/key-ring.ts";
import { type MessageRow, newRow } from "../sqlite/message-rows.ts";
import { places } from "../sqlite/sealed-columns.ts";
import { type PreparedMessage, withError } from "../stored-forms.ts";
import type { Value } from "./connection.ts";

/** A message in hand of this process. */
export interface Held {
  readonly row: MessageRow;
  readonly claims: number;
  /** Whether results of steps may be kept for it. */
  steps: boolean;
}

/** An attempt that ends, and what it queues. */
export interface Ending {
  readonly held: Held;
  readonly outcome: AttemptOutcome;
  readonly followUps: readonly PreparedMessage[];
  readonly sent?: SentRecord | undefined;
}

/** A message for the queue; `row` says its id. */
export interface Fresh {
  readonly row: MessageRow;
  readonly payload: Uint8Array;
  readonly message?: PreparedMessage["message"];
}

/** The part of a call that one caller added. */
export interface Slice {
  /** The attempt that it ends. */
  readonly attempt: AttemptRef | undefined;
  /** Places of its messages in the call, from 1. */
  readonly from: number;
  readonly fresh: readonly Fresh[];
}

/** A row that `queue_work_2` gives back. */
export interface WorkRow {
  readonly kind: string;
  readonly n: number | null;
  readonly id: number | null;
}

export class QueueWork {
  readonly #ended: object[] = [];
  readonly #fresh: object[] = [];
  readonly #payloads: Uint8Array[] = [];
  readonly #sent: object[] = [];
  readonly #pools = new Set<Pool>();

  /** @param after The attempt in the same call that must still be held. */
  queue(fresh: readonly Fresh[], after?: AttemptRef): Slice {
    // Payloads of other kinds come first or later, so places are counted by them.
    const from = this.#payloads.length + 1;
    for (const { message, payload, row } of fresh) {
      this.#payloads.push(payload);
      const { lane, pool, priority, type } = row;
      if (row.enters_at === null) this.#pools.add(pool);
      this.#fresh.push({
        ...{ n: this.#payloads.length, id: row.id, type, pool, lane, priority },
        created_at: row.created_at,
        available_at: row.available_at,
        ambiguous: row.ambiguous,
        flood_cost: row.flood_cost,
        errors: row.errors,
        ...(after && { after: after.messageId }),
        ...(row.expires_at !== null && { expires_at: row.expires_at }),
        ...(row.origin !== null && { origin: row.origin }),
        ...(row.flood_scope !== null && { flood_scope: row.flood_scope }),
        ...(row.replaces !== null && { replaces: row.replaces }),
        ...(row.enters_at !== null && { enters_at: row.enters_at }),
        ...(row.key !== null && { key: row.key }),
        ...(message?.key && { again: message.key.again }),
        ...(message?.dedupeKeys?.length && { keys: message.dedupeKeys }),
        ...(message?.references?.length && { refs: message.references }),
        ...(message?.files?.length && { files: message.files }),
      });
    }
    return { attempt: after, from, fresh };
  }

  /** @param fresh The outcome's follow-ups. */
  end({ held, outcome, sent }: Ending, fresh: readonly Fresh[], ring: KeyRing): Slice {
    const attempt = { messageId: held.row.id, claims: held.claims };
    const slice = this.queue(fresh, attempt);
    this.#ended.push({
      id: held.row.id,
      claims: held.claims,
      ...this.#ended1(held, outcome, ring),
    });
    if (sent) this.record(sent, held.row.id);
    return slice;
  }

  record({ atEpochMs, cost, scope }: SentRecord, after?: number): void {
    this.#sent.push({ scope, cost, at: atEpochMs, ...(after !== undefined && { after }) });
  }

  #ended1({ row, steps }: Held, outcome: AttemptOutcome, ring: KeyRing): object {
    switch (outcome.kind) {
      case "done": {
        const { reachedChat: reached, telegramIds: telegram, unreachableChat } = outcome;
        return {
          ...{ kind: "done", steps, telegram },
          ...(reached !== undefined && { reached }),
          ...unreachable(unreachableChat),
        };
      }
      case "expired":
        return { kind: "expired", steps };
      case "dead": {
        const { error, reason, unreachableChat } = outcome;
        const unattempted = reason === "quarantined" || reason === "lane-full";
        return {
          ...{ kind: "dead", reason, spent: unattempted ? 0 : 1 },
          ...(error && { errors: withError(row.errors, error) }),
          ...unreachable(unreachableChat),
        };
      }
      case "retry": {
        const failed = {
          ...{ at: outcome.availableAtEpochMs, spent: 1 },
          errors: withError(row.errors, outcome.error),
        };
        // A skipped message waits in its own lane, and its old lane goes on without it.
        if (outcome.onRetry === "skip")
          return { kind: "skip", ...failed, lane: `${row.lane}~${row.id}` };
        return { kind: "again", ...failed };
      }
      case "postponed": {
        const { availableAtEpochMs: at, parkLane: park, readdressed } = outcome;
        if (!readdressed) return { kind: "again", at, park, spent: 0 };
        const text = JSON.stringify(readdressed.payload);
        this.#payloads.push(ring.seal(text, places.payload(row)));
        const payload = this.#payloads.length;
        return { kind: "again", at, park, spent: 0, payload, scope: readdressed.floodScope };
      }
      case "released":
        return { kind: "again", spent: 0 };
    }
  }

  /** Pools that get work now. */
  get pools(): readonly Pool[] {
    return [...this.#pools];
  }

  /** The last four parameters of `queue_work_2`. */
  get parameters(): readonly Value[] {
    const { stringify } = JSON;
    return [stringify(this.#ended), stringify(this.#fresh), this.#payloads, stringify(this.#sent)];
  }
}

function unreachable(found: { readonly chat: string; readonly reason: string } | undefined) {
  return found && { unreachable: found.chat, unreachable_reason: found.reason };
}

/**
 * What became of a caller's slice.
 *
 * @throws {AttemptOverError} when its attempt was no longer held.
 */
export function resultsOf(slice: Slice, rows: readonly WorkRow[]): readonly EnqueueResult[] {
  const { attempt, fresh, from } = slice;
  if (attempt && rows.some(({ id, kind }) => kind === "over" && id === attempt.messageId)) {
    throw attemptOver(attempt);
  }
  return fresh.map(({ row }, index): EnqueueResult => {
    const own = rows.filter(({ n }) => n === from + index);
    const is = (kind: string) => own.some((other) => other.kind === kind);
    if (is("duplicate")) return { kind: "duplicate" };
    if (is("full")) return { kind: "lane-full", deadLetterId: row.id };
    const replaced = own.filter(({ kind }) => kind === "replaced").length;
    return { kind: "queued", messageId: row.id, ...(replaced > 0 && { replaced }) };
  });
}

export function attemptOver({ messageId }: AttemptRef): AttemptOverError {
  return new AttemptOverError(`message ${messageId} is no longer held by this attempt`);
}

/** Seals new messages for the queue. @param ids One for each. */
export function freshOf(
  prepared: readonly PreparedMessage[],
  ids: readonly number[],
  ring: KeyRing,
  now: number,
): readonly Fresh[] {
  return prepared.map(({ message, payload }, index) => {
    const row = newRow(ids[index] as number, message, now);
    return { message, row, payload: ring.seal(payload, places.payload(row)) };
  });
}
