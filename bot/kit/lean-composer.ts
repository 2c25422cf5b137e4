/**
 * Lean composer: cheaper insides for Telegraf's composers, with the same meaning.
 *
 * Telegraf nests a function in a function for each `use`, with promises of its own at every level, also
 * where a middleware only passes an update on. That was half of what an update allocated (measured with
 * the fifty middlewares of the shop). Here a list stays a list, a middleware whose condition does not hold
 * is stepped over, and there is a promise only where a middleware makes one.
 */
import { Composer, Context, type Middleware, type MiddlewareFn } from "telegraf";

type Any = Middleware<Context>;
type Run = MiddlewareFn<Context>;
type Predicate = (ctx: Context) => unknown;

/** A middleware that passes an update on unless a condition holds. */
interface Conditional {
  readonly predicate: Predicate;
  readonly yes: Any;
}

/** The parts of each composed function, one after the other. */
const lists = new WeakMap<object, readonly Any[]>();

/** The condition of each function that `branch` has made to do nothing without it. */
const conditions = new WeakMap<object, Conditional>();

/** Replaces what all of Telegraf's methods are made of. */
export function useLeanComposer(): void {
  Composer.compose = compose as typeof Composer.compose;
  Composer.branch = branch as typeof Composer.branch;
  Composer.passThru = (() => pass) as typeof Composer.passThru;
  Composer.command = command as typeof Composer.command;
}

/** Passes every update on. */
export const pass: Run = (_, next) => next();

/** Runs one middleware after the other, as each calls `next`. */
export function compose(middlewares: readonly Any[]): Run {
  if (!Array.isArray(middlewares)) throw new Error("Middlewares must be an array");
  const [first] = middlewares;
  if (first === undefined) return pass;
  if (middlewares.length === 1) return Composer.unwrap(first);
  const list: readonly Any[] = middlewares
    .flatMap((one: Any) => lists.get(one) ?? [one])
    .filter((one) => one !== pass);
  const composed: Run = (ctx, next) => new Walk(list, next).from(0, ctx);
  lists.set(composed, list);
  return composed;
}

/** The place in a list at which something is to be done. */
interface Place {
  readonly index: number;
  readonly run: Run;
  /** What its condition said, if it has one. */
  readonly verdict: unknown;
  /** When it is a list itself: the place in that. */
  readonly inner?: { readonly list: readonly Any[]; readonly place: Place };
}

/** Finds the first middleware from an index on that may do something; `undefined` at the end of the list. */
function find(list: readonly Any[], from: number, ctx: Context): Place | undefined {
  for (let index = from; index < list.length; index++) {
    // A composer's list may have grown since it was used.
    const one = Composer.unwrap(list[index] as Any);
    const inner = lists.get(one);
    if (inner) {
      const place = find(inner, 0, ctx);
      if (place) return { index, run: one, verdict: true, inner: { list: inner, place } };
    } else {
      const only = conditions.get(one);
      if (!only) return { index, run: one, verdict: true };
      const verdict = only.predicate(ctx);
      if (verdict) return { index, run: Composer.unwrap(only.yes), verdict };
    }
  }
  return undefined;
}

/** The way of one update through a list. */
class Walk {
  readonly #list: readonly Any[];
  readonly #next: Run;
  #reached = -1;

  constructor(list: readonly Any[], next: unknown) {
    this.#list = list;
    this.#next = next as Run;
  }

  from(index: number, ctx: Context): Promise<unknown> {
    try {
      if (!(ctx instanceof Context)) throw new Error("next(ctx) called with invalid context");
      if (index <= this.#reached) throw new Error("next() called multiple times");
      const atEnd = { index: this.#list.length, run: this.#next, verdict: true };
      return this.#at(find(this.#list, index, ctx) ?? atEnd, ctx);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #at({ index, inner, run, verdict }: Place, ctx: Context): Promise<unknown> {
    this.#reached = index;
    const next = (other: Context = ctx) => this.from(index + 1, other);
    if (inner) return new Walk(inner.list, next).#at(inner.place, ctx);
    const go = (middleware: Run) => Promise.resolve(middleware(ctx, next as Parameters<Run>[1]));
    return verdict instanceof Promise ? verdict.then((holds) => go(holds ? run : pass)) : go(run);
  }
}

/** Runs one middleware or another. @param predicate Says which; waited for only where it has to be. */
export function branch(predicate: Predicate | boolean, yes: Any, no: Any): Run {
  if (typeof predicate !== "function") return Composer.unwrap(predicate ? yes : no);
  const branched: Run = (ctx, next) => {
    const go = (verdict: unknown) => Composer.unwrap(verdict ? yes : no)(ctx, next);
    const verdict = predicate(ctx);
    return verdict instanceof Promise ? verdict.then(go) : go(verdict);
  };
  if (no === pass) conditions.set(branched, { predicate, yes });
  return branched;
}

const telegrafCommand = Composer.command as (...given: readonly unknown[]) => Run;

/** Telegraf's `command`, asked only for commands that it may be for. */
export function command(names: unknown, ...fns: readonly Any[]): Run {
  const run = telegrafCommand(names, ...fns);
  if (fns.length === 0) return run;
  const triggers = [names].flat();
  const isForOne = (ctx: Context) => {
    const name = commandIn(ctx);
    if (name === undefined) return false;
    for (const trigger of triggers) if (mayMatch(trigger, name)) return true;
    return false;
  };
  return branch(isForOne, run, pass);
}

function mayMatch(trigger: unknown, name: string): boolean {
  if (typeof trigger === "string") return trigger === name;
  if (!(trigger instanceof RegExp)) return true;
  trigger.lastIndex = 0;
  return trigger.test(name);
}

/** The command with which a message begins, without the name of a bot. */
function commandIn({ update }: Context): string | undefined {
  const { message } = update as { message?: { text?: unknown; entities?: readonly Entity[] } };
  const first = message?.entities?.[0];
  if (typeof message?.text !== "string" || first?.type !== "bot_command") return undefined;
  return first.offset > 0 ? undefined : nameIn(message.text, first.length);
}

/** The last command that was read: all commands of a bot ask for that of the same message. */
let last = { text: "", length: 0, name: "" };

function nameIn(text: string, length: number): string {
  if (last.text !== text || last.length !== length) {
    const end = text.indexOf("@");
    last = { text, length, name: text.slice(1, end > 0 && end < length ? end : length) };
  }
  return last.name;
}

interface Entity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
}
