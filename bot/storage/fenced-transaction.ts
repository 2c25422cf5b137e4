/**
 * Fenced transaction: what the work of a step is given, usable only until that work is over, because
 * code that the work left running must not write into a later transaction.
 */
import type { Documents } from "../core/documents.ts";
import { AttemptOverError } from "../core/errors.ts";
import { checkMessageKey, type KeyedMessages } from "../core/keyed-messages.ts";
import { laneOfChat } from "../core/message.ts";
import type { TableSet, Transaction } from "../core/transaction.ts";

export interface TransactionParts {
  readonly nowEpochMs: number;
  readonly isOver: () => boolean;
  readonly open: <Tables extends object>(set: TableSet<Tables>) => Tables;
  readonly documents: () => Documents;
  /** Asked only for keys that are some. */
  readonly messages: KeyedMessages;
  readonly lock: (name: string) => Promise<void>;
  readonly deleteDeadLettersOfLane: (lane: string) => Promise<number>;
}

export function transactionOver(): AttemptOverError {
  return new AttemptOverError("the transaction is over; its tables can no longer be used");
}

export function fencedTransaction(parts: TransactionParts): Transaction {
  const fence = () => {
    if (!parts.isOver()) return;
    throw transactionOver();
  };
  const guarded = <T extends object>(object: T): T =>
    new Proxy(object, {
      get(target, name, receiver) {
        fence();
        return Reflect.get(target, name, receiver);
      },
    });
  return {
    nowEpochMs: parts.nowEpochMs,
    tables: (set) => {
      fence();
      return guarded(parts.open(set));
    },
    get documents() {
      return guarded(parts.documents());
    },
    messages: {
      find: async (key) => {
        fence();
        checkMessageKey(key);
        return parts.messages.find(key);
      },
      cancel: async (key) => {
        fence();
        checkMessageKey(key);
        return parts.messages.cancel(key);
      },
    },
    lock: async (name) => {
      fence();
      await parts.lock(name);
    },
    deleteDeadLetters: async (chatId) => {
      fence();
      return parts.deleteDeadLettersOfLane(laneOfChat(chatId));
    },
  };
}
