/**
 * Mini App: what a module does for the page that it brings.
 *
 * The page *asks* (at once, outside the queue) and *acts* (a message of the queue, handled in the lane of
 * the person's chat like what they write). An act is named by an id that the page makes once for each press:
 * under one id it is done once, and its answer is committed with it, so that the page can ask for it again.
 */
import { Composer, type Context, type MiddlewareFn } from "telegraf";
import type { User } from "telegraf/types";
import { DataRefusedError } from "../core/errors.ts";
import type { Json } from "../core/message.ts";
import type { Transaction } from "../core/transaction.ts";

/** The content of an update of kind `mini_app_request`. */
export interface MiniAppTask {
  readonly name: string;
  /** Names the act among those of this person. */
  readonly requestId: string;
  readonly data: Json;
  readonly chat: Context["chat"];
  readonly from: User;
}

/**
 * Answers a question of the page.
 *
 * @param data What the page sent: anything, so it is to be checked.
 * @param transaction Writes what is right however often it is written, such as an account that is opened.
 */
export type AnswerAsk = (
  from: User,
  data: unknown,
  transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>,
) => unknown;

export type MiniAppHandler<C extends Context> = (
  ctx: C,
  /** The fields the page sent. They can be anything, so check them. */
  data: unknown,
  /** 16 to 64 letters, digits or `_ -`; unique among the acts of this person. */
  requestId: string,
) => unknown;

export interface MiniApp {
  /** The address of the page (MINI_APP_URL); `undefined` when it is not served. */
  readonly url: string | undefined;
  /**
   * Answers `POST ask/<name>` of the page, outside the queue. It may run any number of times, so it reads
   * (`kit.read`), or writes what may be written again (its third parameter).
   *
   * @param name 1 to 100 letters, digits or `_ - . :`.
   * @param answer Its result is sent to the page as JSON; `undefined` as null.
   * @throws {DataRefusedError} for a name that is none, or taken.
   */
  ask(name: string, answer: AnswerAsk): void;
  /**
   * Makes the middleware that handles `POST act/<name>/<id>` of the page:
   * `bot.use(kit.miniApp.act("buy", async (ctx, data, requestId) => ({ bought: true })))`, behind whatever
   * decides who may do what.
   *
   * Its result, JSON of at most 64 KiB, is the answer, committed with the replies. An act that no handler
   * answers, because a middleware in front stopped it, is refused towards the page.
   *
   * @throws {DataRefusedError} for a name that is none, or taken.
   */
  act<C extends Context>(name: string, handler: MiniAppHandler<C>): MiddlewareFn<C>;
}

/** The part of an act's context that is needed here. */
type Committing = Context & { onDone(write: (tx: Transaction) => Promise<void>): void };

const namePattern = /^[\w.:-]{1,100}$/;
const answers = "kit:mini-app-answers";

export interface MiniAppHandlers {
  readonly kit: MiniApp;
  readonly asks: ReadonlyMap<string, AnswerAsk>;
  /** Names of the acts. */
  readonly acts: ReadonlySet<string>;
}

/** @param answersKeepMs Milliseconds for which an answer can be asked for again. */
export function createMiniApp(url: string | undefined, answersKeepMs: number): MiniAppHandlers {
  const asks = new Map<string, AnswerAsk>();
  const acts = new Set<string>();
  const ask: MiniApp["ask"] = (name, answer) => {
    check("ask", name, asks, answer, "Write async (from, data) => { … }.");
    asks.set(name, answer);
  };
  const act: MiniApp["act"] = (name, handler) => {
    check("act", name, acts, handler, "Write async (ctx, data, requestId) => { … }.");
    acts.add(name);
    const isNamed = ({ update }: Context) => miniAppTaskOf(update)?.name === name;
    return Composer.optional(isNamed, async (ctx: Parameters<typeof handler>[0]) => {
      const { data, from, requestId } = miniAppTaskOf(ctx.update) as MiniAppTask;
      const answer = (await handler(ctx, data, requestId)) ?? null;
      // The engine makes every context, so this one can commit.
      (ctx as unknown as Committing).onDone(({ documents }) =>
        documents.put(
          answers,
          answerKey(from.id, requestId),
          { answer },
          { keepMs: answersKeepMs },
        ),
      );
    });
  };
  return { kit: { url, ask, act }, asks, acts };
}

/** The task in an update of kind `mini_app_request`; `undefined` for every other one. */
export function miniAppTaskOf(update: object): MiniAppTask | undefined {
  return (update as { readonly mini_app_request?: MiniAppTask }).mini_app_request;
}

/** The answer to an act; `undefined` while there is none. */
export function answerOf(
  { documents }: Transaction,
  userId: number,
  requestId: string,
): Promise<{ readonly answer: Json } | undefined> {
  return documents.get(answers, answerKey(userId, requestId));
}

/** The name of an act's message, and of its answer. */
function answerKey(userId: number, requestId: string): string {
  return `${userId}:${requestId}`;
}

function check(
  kind: "ask" | "act",
  name: unknown,
  taken: { has(name: string): boolean },
  handler: unknown,
  example: string,
): asserts name is string {
  const refuse = (field: string, expected: string, received: string, mend: string) =>
    new DataRefusedError(`miniApp.${kind}: ${field}`, expected, received, mend);
  if (typeof name !== "string" || !namePattern.test(name)) {
    const received = typeof name === "string" ? `${name.length} characters` : `a ${typeof name}`;
    const expected = "1 to 100 letters, digits, or any of _ - . :";
    throw refuse("name", expected, received, 'Give it a name such as "buy".');
  }
  if (taken.has(name)) {
    throw refuse(name, "a name of its own", "one that is taken", "Choose another name.");
  }
  if (typeof handler !== "function") {
    throw refuse(name, "a function", `a ${typeof handler}`, example);
  }
}
