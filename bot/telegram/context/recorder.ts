/**
 * Recorder: collects the calls that one attempt at an update wants sent, and runs its durable
 * steps.
 *
 * A call made inside `ctx.transaction` commits with that step; every other call commits with the
 * update's completion. The asynchronous context decides which applies, so this also holds when an
 * author runs a transaction and a reply concurrently.
 */
import { CarriedValue } from "../../core/carried-value.ts";
import { AttemptOverError, NotSentYetError } from "../../core/errors.ts";
import type { FileStore } from "../../core/file-store.ts";
import type { KeyState } from "../../core/keyed-messages.ts";
import type { JsonObject, NewMessage, Priority } from "../../core/message.ts";
import type { Attempt } from "../../core/message-handler.ts";
import { drawReference, referencesPerScopeMax } from "../../core/message-reference.ts";
import type { Transaction } from "../../core/transaction.ts";
import { cidOf } from "./correlation.ts";
import { type CallTerms, toOutgoingMessages, withFiles } from "./outgoing-messages.ts";
import { takeFiles } from "./recorded-files.ts";
import { recordedResult } from "./recorded-result-rules.ts";

/** A unit that commits together: a durable step, or the rest of the update. */
interface Scope {
  readonly calls: Recorded[];
  /** The claims of the attempt, in a durable step. */
  readonly step: number | undefined;
  /** Whether its messages were already handed to the store. */
  over: boolean;
  /** The transaction of a durable step, while it runs. */
  tx?: Transaction;
}

/** One recorded call. */
interface Recorded {
  /** Several when its text was too long for one. */
  messages: readonly NewMessage[];
  /** Its key, as soon as it is recorded. */
  readonly key: string | undefined;
}

/** Parts of the process that recording needs. */
export interface RecorderDeps {
  readonly files: FileStore;
}

const stepScope = new CarriedValue<Scope>();
const running = new CarriedValue<Recorder>();

type Write = (tx: Transaction) => Promise<void>;

export class Recorder {
  /** The language that the handler has found out; see `BotContext.lastWordsIn`. */
  languageCode: string | undefined;
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

  /** The recorder of the attempt that this code belongs to, also when that is over. */
  static get current(): Recorder | undefined {
    return running.current;
  }

  /** Runs the attempt's handler: whatever it starts belongs to the attempt. */
  run<T>(handler: () => T): T {
    return running.run(this, handler);
  }

  get receivedAtEpochMs(): number {
    return this.#attempt.message.createdAtEpochMs;
  }

  /** Adds to what is written when the update is done; see `BotContext.onDone`. */
  onDone(write: Write): void {
    if (!this.#writes || this.#attempt.ending.aborted) {
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
  async record(
    method: string,
    payload: unknown,
    { priority, ...terms }: CallTerms & { readonly priority?: Priority } = {},
  ): Promise<object> {
    const scope = this.#openScope(method);
    const { payload: taken, store } = takeFiles(method, payload, scope.step !== undefined);
    const call: Recorded = { messages: [], key: terms.key?.name };
    const repeats = call.key !== undefined && scope.calls.some(({ key }) => key === call.key);
    if (!repeats) scope.calls.push(call);
    const complete = (files: readonly string[]) => {
      const { fields, messages } = this.#toMessages(method, taken, priority, terms);
      call.messages = withFiles(messages, files);
      const draw = (position: number) => {
        if (repeats) throw new NotSentYetError(method, "message_id", repetition);
        return this.#draw(method, scope, call, position);
      };
      return recordedResult(method, fields, draw);
    };
    if (!store) return complete([]);
    const completed = store(this.#files, this.#attempt.signal).then(complete);
    this.#storing.add(completed);
    return completed.finally(() => this.#storing.delete(completed));
  }

  #openScope(what: string): Scope {
    if (!this.#over && !this.#attempt.ending.aborted) return stepScope.current ?? this.#rest;
    throw new AttemptOverError(`${what}: the handler of this update has already ended`);
  }

  #toMessages(
    method: string,
    payload: unknown,
    priority: Priority = this.#attempt.message.priority,
    terms: CallTerms,
  ) {
    // A call that is delayed is useful for as long from then on.
    const receivedAtEpochMs = terms.availableAtEpochMs ?? this.receivedAtEpochMs;
    const cid = cidOf(this.#attempt.message);
    const options = { type: "send", priority, receivedAtEpochMs, cid } as const;
    return toOutgoingMessages(method, payload, options, terms);
  }

  /**
   * Records a task for this lane: an update of kind `later` (kit/later.ts).
   *
   * @param key Names it in the lane: one that waits under the same key is replaced.
   */
  later(task: JsonObject, availableAtEpochMs: number, key: string | undefined): void {
    const scope = this.#openScope("later");
    const { lane } = this.#attempt.message;
    const name = key === undefined ? undefined : this.#keyInLane(key);
    const message: NewMessage = {
      type: "task",
      pool: "handling",
      lane,
      priority: "normal",
      payload: { later: task },
      availableAtEpochMs,
      ...(name !== undefined && { key: { name, again: "replace" } }),
    };
    if (name !== undefined) this.#forget(scope, name);
    scope.calls.push({ messages: [message], key: name });
  }

  cancelLater(key: string): Promise<boolean> {
    return this.cancel(this.#keyInLane(key));
  }

  #keyInLane(key: string): string {
    return `later:${this.#attempt.message.lane}:${key}`;
  }

  /** Takes away what waits under a key, as a durable step or in the one that runs. */
  async cancel(key: string): Promise<boolean> {
    const scope = this.#openScope("cancel");
    const recorded = this.#forget(scope, key);
    const waited = scope.tx
      ? await scope.tx.messages.cancel(key)
      : await this.transaction((tx) => tx.messages.cancel(key));
    return recorded || waited;
  }

  /** Drops what this attempt has recorded under a key. @returns whether there was anything. */
  #forget({ calls }: Scope, key: string): boolean {
    const index = calls.findIndex((call) => call.key === key);
    if (index >= 0) calls.splice(index, 1);
    return index >= 0;
  }

  /** Asks in the durable step that runs, because the store is busy with it; `undefined`: none does. */
  findInStep(key: string): Promise<KeyState> | undefined {
    return stepScope.current?.tx?.messages.find(key);
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

  /** Reads from the store while others use the attempt's slot. */
  read<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#attempt.read(work);
  }

  /** Runs `work` once per update; see `BotContext.transaction`. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, step?: string): Promise<T> {
    const name = step ?? `#${this.#steps++}`;
    const scope: Scope = { calls: [], step: this.#attempt.message.claims, over: false };
    const scoped = (tx: Transaction) => {
      scope.tx = tx;
      // The store may run it for whoever made it commit, so the work is told again what it belongs to.
      return running.run(this, () => stepScope.run(scope, () => work(tx)));
    };
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

/** Why the result of a call cannot be referred to when its key was used before. */
export const repetition = "its key was used before, so that what counts is the earlier call";

function close(scope: Scope): readonly NewMessage[] {
  scope.over = true;
  return scope.calls.flatMap(({ messages }) => messages);
}
