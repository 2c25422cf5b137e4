/**
 * Later: named handlers that run at a later time, with a context for the chat and the person that asked.
 *
 * A middleware where the author puts it, so that what stands before it (a session, a stage) has prepared
 * the context. The update that runs it is of the kind `later`, which no other handler asks for.
 */
import { Composer, type Context, type MiddlewareFn } from "telegraf";
import { DataRefusedError } from "../core/errors.ts";
import type { Json } from "../core/message.ts";

/** The content of an update of kind `later`. */
export interface LaterTask {
  readonly name: string;
  readonly data: Json;
  readonly chat: Context["chat"];
  readonly from: Context["from"];
}

export type LaterHandler<C extends Context, Data> = (ctx: C, data: Data) => unknown;

/**
 * Makes the middleware that runs one named handler:
 * `bot.use(kit.later("remind", (ctx, data) => ctx.reply(data.text)))`, behind `bot.use(kit.session())`.
 *
 * @param name 1 to 100 letters, digits or `_ - . :`; stable, because messages in the queue bear it.
 * @throws {DataRefusedError} for a name that is none, or taken.
 */
// biome-ignore lint/suspicious/noExplicitAny: the data are what the author has stored under this name
export type MakeLater = <C extends Context, Data = any>(
  name: string,
  handler: LaterHandler<C, Data>,
) => MiddlewareFn<C>;

const namePattern = /^[\w.:-]{1,100}$/;

export interface LaterHandlers {
  readonly make: MakeLater;
  readonly names: ReadonlySet<string>;
  /** Whether this update's handler has run. */
  reached(update: object): boolean;
}

export function createLater(): LaterHandlers {
  const names = new Set<string>();
  const reached = new WeakSet<object>();
  const make: MakeLater = (name, handler) => {
    const refuse = (field: string, expected: string, received: string, mend: string) =>
      new DataRefusedError(`later: ${field}`, expected, received, mend);
    if (typeof name !== "string" || !namePattern.test(name)) {
      const received = typeof name === "string" ? `${name.length} characters` : `a ${typeof name}`;
      const expected = "1 to 100 letters, digits, or any of _ - . :";
      throw refuse("name", expected, received, 'Give it a name such as "remind".');
    }
    if (names.has(name)) {
      throw refuse(name, "a name of its own", "one that is taken", "Choose another name.");
    }
    if (typeof handler !== "function") {
      throw refuse(name, "a function", `a ${typeof handler}`, "Write async (ctx, data) => { … }.");
    }
    names.add(name);
    return Composer.optional(
      (ctx) => laterOf(ctx.update)?.name === name,
      async (ctx) => {
        reached.add(ctx.update);
        await handler(ctx, laterOf(ctx.update)?.data as never);
      },
    );
  };
  return { make, names, reached: (update) => reached.has(update) };
}

/** The task in an update of kind `later`; `undefined` for every other one. */
export function laterOf(update: object): LaterTask | undefined {
  return (update as { readonly later?: LaterTask }).later;
}
