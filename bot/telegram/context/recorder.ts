/**
 * Recorder: collects the calls that one attempt at an update wants sent, and runs its durable
 * steps.
 *
 * A call made inside `ctx.transaction` commits with that step; every other call commits with the
 * update's completion. The asynchronous context decides which applies, so this also holds when an
 * author runs a transaction and a reply concurrently.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { AttemptOverError, NotSentYetError } from "../../core/errors.ts";
import type { FileStore } from "../../core/file-store.ts";
import type { JsonObject, NewMessage } from "../../core/message.ts";
import type { Attempt } from "../../core/message-handler.ts";
import { drawReference, referencesPerScopeMax } from "../../core/message-reference.ts";
import type { Transaction } from "../../core/transaction.ts";
import { type OutgoingOptions, toCallMessage } from "../delivery/call-message.ts";
import { cidOf } from "./correlation.ts";
import { takeFiles } from "./recorded-files.ts";
import { recordedResult } from "./recorded-result-rules.ts";
import { type PlainCall, splitCall } from "./split-call-rules.ts";

/** What commits together: a durable step, or the rest of the update. */
interface Scope {
  readonly calls: Recorded[];
  /** The claims of the attempt, in a durable step. */
  readonly step: number | undefined;
  /** Whether its messages were already handed to the store. */
  over: boolean;
}

/** One recorded call. */
interface Recorded {
  /** Several when its text was too long for one. */
  messages: readonly NewMessage[];
}

/** Parts of the process that recording needs. */
export interface RecorderDeps {
  readonly files: FileStore;
}

const stepScope = new AsyncLocalStorage<Scope>();

type Write = (tx: Transaction) => Promise<void>;

export class Recorder {
  /** `undefined` once they were taken. */
  #writes: Write[] | undefined = [];
  readonly #attempt: Attempt;
  readonly #files: FileStore;
  /** Calls whose files are being stored; what failed in the handler's presence is its own affair. */
  readonly #storing = new Set<Promise<unknown>>();
  readonly #rest: Scope = { calls: [], step: undefined, over: false };
  /** How many references were drawn, outside steps and inside. */
  readonly #drawn = { rest: 0, steps: 0 };
  #steps = 0;
  #over = false;

  constructor(attempt: Attempt, { files }: RecorderDeps) {
    this.#attempt = attempt;
    this.#files = files;
  }

  get receivedAtEpochMs(): number {
    return this.#attempt.message.createdAtEpochMs;
  }

  /** Adds to what is written when the update is done; see `BotContext.onDone`. */
  onDone(write: Write): void {
    if (!this.#writes || this.#attempt.signal.aborted) {
      throw new AttemptOverError("onDone: the handler of this update has already ended");
    }
    this.#writes.push(write);
  }

  /** Takes what was added by `onDone`; nothing can be added any more. */
  takeWrite(): Write | undefined {
    const writes = this.#writes ?? [];
    this.#writes = undefined;
    if (writes.length === 0) return undefined;
    return async (tx) => {
      for (const write of writes) await write(tx);
    };
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  /**
   * Records a call to be sent after the commit; as several, when its text is too long for one.
   *
   * Its place among the others is that of this call, however long its files take to be stored.
   *
   * @returns what stands for the call's result.
   * @throws UnrecordableCallError, AttemptOverError, and what the file store throws.
   */
  async record(method: string, payload: unknown): Promise<object> {
    if (this.#over || this.#attempt.signal.aborted) {
      throw new AttemptOverError(`${method}: the handler of this update has already ended`);
    }
    const scope = stepScope.getStore() ?? this.#rest;
    const { payload: taken, store } = takeFiles(method, payload, scope.step !== undefined);
    const call: Recorded = { messages: [] };
    scope.calls.push(call);
    const complete = (files: readonly string[]) =>
      this.#complete(method, taken, files, scope, call);
    if (!store) return complete([]);
    const completed = store(this.#files, this.#attempt.signal).then(complete);
    this.#storing.add(completed);
    return completed.finally(() => this.#storing.delete(completed));
  }

  #complete(
    method: string,
    payload: unknown,
    files: readonly string[],
    scope: Scope,
    call: Recorded,
  ): object {
    const { fields, messages } = this.#toMessages(method, payload);
    const [first, ...others] = messages as [NewMessage, ...NewMessage[]];
    // What does not fit into a caption follows as texts, so all files are in the first message.
    call.messages = files.length > 0 ? [{ ...first, files }, ...others] : messages;
    return recordedResult(method, fields, (position) => this.#draw(method, scope, call, position));
  }

  #toMessages(method: string, payload: unknown) {
    const options: OutgoingOptions = {
      type: "send",
      priority: this.#attempt.message.priority,
      receivedAtEpochMs: this.receivedAtEpochMs,
      cid: cidOf(this.#attempt.message),
    };
    const whole = toCallMessage(method, payload, options);
    const call = whole.payload as unknown as PlainCall;
    const parts = splitCall(call);
    const messages =
      parts.length > 1
        ? parts.map((part) => toCallMessage(part.method, part.payload, options))
        : [whole];
    return { fields: call.payload as JsonObject, messages };
  }

  /** Gives the message at this position of a call a reference, unless it has one. */
  #draw(method: string, scope: Scope, call: Recorded, position: number): number {
    // The first part of a text that was split stands for all of it.
    const [first, ...others] = call.messages as [NewMessage, ...NewMessage[]];
    const { references = [] } = first;
    const known = references.find((one) => one.position === position);
    if (known) return known.id;
    if (scope.over) {
      const reason = "it was not read before the commit; read it where the call is made";
      throw new NotSentYetError(method, "message_id", reason);
    }
    const number = scope.step === undefined ? this.#drawn.rest++ : this.#drawn.steps++;
    if (number >= referencesPerScopeMax) {
      const reason = `an update can refer to ${referencesPerScopeMax} messages at most`;
      throw new NotSentYetError(method, "message_id", reason);
    }
    const id = drawReference(this.#attempt.message.id, scope.step, number);
    call.messages = [{ ...first, references: [...references, { id, position }] }, ...others];
    return id;
  }

  /** Runs `work` once per update; see `BotContext.transaction`. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, step?: string): Promise<T> {
    const name = step ?? `#${this.#steps++}`;
    const scope: Scope = { calls: [], step: this.#attempt.message.claims, over: false };
    const scoped = (tx: Transaction) => stepScope.run(scope, () => work(tx));
    return this.#attempt.step(name, scoped, () => close(scope)) as Promise<T>;
  }

  /**
   * Ends the recording, once the files of its calls are stored.
   *
   * @returns the calls that the handler wants sent.
   */
  async finish(): Promise<readonly NewMessage[]> {
    this.over();
    // The handler did not wait for these, so it cannot know whether they fail; the attempt then does.
    await Promise.all(this.#storing);
    return close(this.#rest);
  }

  /** Records nothing more. */
  over(): void {
    this.#over = true;
  }
}

function close(scope: Scope): readonly NewMessage[] {
  scope.over = true;
  return scope.calls.flatMap(({ messages }) => messages);
}
