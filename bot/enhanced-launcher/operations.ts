/** Operations: gives modules the narrow view of the engine that `kit.operations` promises. */
import type { Holds } from "../core/holds.ts";
import { type DeadLetter, pools } from "../core/message.ts";
import type { Store } from "../core/store.ts";
import type { DeadLetterFacts, Operations } from "../kit/operations.ts";
import type { IncidentBook } from "../telemetry/incident-book.ts";
import type { MessageQueue } from "../utils/message-queue.ts";

export interface OperationsDeps {
  readonly store: Pick<Store, "countDeadLetters" | "deadLetter" | "deadLetters">;
  readonly holds: Holds;
  readonly book: Pick<IncidentBook, "list">;
  /** The queue is made after the module's handlers, so it is asked for when it is needed. */
  readonly queue: () => Pick<MessageQueue, "pause" | "requeue" | "resume" | "snapshot">;
}

export function createOperations({ book, holds, queue, store }: OperationsDeps): Operations {
  return {
    deadLetters: async (page) => ({
      total: await store.countDeadLetters({}),
      letters: (await store.deadLetters(page)).map(factsOf),
    }),
    deadLetter: async (id) => {
      const letter = await store.deadLetter(id);
      return letter && factsOf(letter);
    },
    requeue: async (id) => (await queue().requeue(id)) !== undefined,
    holds: () => holds.list(),
    incidents: (limit) => book.list(limit),
    pausedPools: async () => {
      const { pools: all } = await queue().snapshot();
      return pools.filter((pool) => all[pool].paused);
    },
    setPaused: (pool, paused) => (paused ? queue().pause(pool) : queue().resume(pool)),
  };
}

/** Texts of errors can quote what a person wrote, so only the codes are shown. */
function factsOf(letter: DeadLetter): DeadLetterFacts {
  const { attempts, createdAtEpochMs, deaths, diedAtEpochMs, errors, id, lane, reason, type } =
    letter;
  const errorCodes = errors.map(({ code }) => code);
  return { id, type, reason, lane, attempts, deaths, createdAtEpochMs, diedAtEpochMs, errorCodes };
}
