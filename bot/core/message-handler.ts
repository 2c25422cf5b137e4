/** Message handler: works on one message; and the gate that a pool asks before it claims. */
import type { EndSignal } from "./ending.ts";
import type { BotError } from "./errors.ts";
import type { DeadReason, JsonObject, Message, NewMessage } from "./message.ts";
import type { Admission, ClaimCandidate, SentRecord } from "./store.ts";
import type { Transaction } from "./transaction.ts";

/** One run of a handler, as the handler sees it. */
export interface Attempt {
  readonly message: Message;
  /** Aborts when the attempt is given up: its time limit is over, or the process stops. */
  readonly signal: AbortSignal;
  /** The same at less cost: the signal is made when somebody asks for it. */
  readonly ending: EndSignal;
  /**
   * The durable step `name`: runs `work` once per message and keeps its result.
   * `enqueue` is read after `work`; what it returns commits with it.
   */
  step(
    name: string,
    work: (tx: Transaction) => Promise<unknown>,
    enqueue: () => readonly NewMessage[],
  ): Promise<unknown>;
  /** Reads from the store; see `Store.read`. */
  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
}

/** How a handler ends when it does not throw. What it throws is retried, then dead-lettered. */
export type HandlerResult =
  | {
      readonly kind: "done";
      readonly enqueue?: readonly NewMessage[];
      /**
       * Writes in the transaction that makes the message done. It runs again when the disk was full.
       * If it rejects, nothing is kept and the attempt has failed.
       */
      readonly write?: (tx: Transaction) => Promise<void>;
      /** This chat took a message, or the bot in: it is reachable. */
      readonly reachedChat?: string;
      /** The bot was put out of this chat: it cannot be written to. */
      readonly unreachableChat?: { readonly chat: string; readonly reason: string };
      /** The ids that Telegram gave to what was sent, in order. */
      readonly telegramIds?: readonly number[];
    }
  /** Not the message's fault: again after `delayMs`, no attempt spent. */
  | {
      readonly kind: "postponed";
      readonly delayMs: number;
      readonly parkLane: boolean;
      readonly error: BotError;
      readonly readdressed?: {
        readonly payload: JsonObject;
        readonly floodScope: string | undefined;
      };
    }
  | {
      readonly kind: "dead";
      readonly reason: DeadReason;
      readonly error: BotError;
      readonly unreachableChat?: { readonly chat: string; readonly reason: string };
    };

export interface MessageHandler {
  handle(attempt: Attempt): Promise<HandlerResult>;
  /** `hold` (strict order) keeps the lane waiting for a retry; `skip` lets it go on. */
  readonly onRetry: "hold" | "skip";
  /** Queued together with the dead letter, e.g. a word to the user. */
  lastWords?(message: Message): readonly NewMessage[];
}

/** Keeps the pace that Telegram allows: asked inside every claim. */
export interface PoolGate {
  /** Asked inside the claim's transaction. `take` counts as started. */
  admit(candidate: ClaimCandidate): Admission;
  /** Takes back an admission: the message did not start, because the claim's transaction failed. */
  withdraw(messageId: number): void;
  /** When a claim that was stopped may be tried again; `undefined`: after something was settled. */
  reopensInMs(): number | undefined;
  /** Room the message used up, to be stored with its outcome; `undefined` for none. */
  settle(message: Message): SentRecord | undefined;
  /**
   * Called for a message that a dead process was working on, whose call may have been made. Must not throw.
   * @returns room it may have used up, to be stored; `undefined` for none.
   */
  recovered(message: Message): SentRecord | undefined;
}
