/**
 * Session: Telegraf's `session()`, durable.
 *
 * `ctx.session` is read at the beginning of every attempt and written in the commit that makes the
 * update done, together with its replies. So an attempt that is run again sees the session as it was
 * before the first one, and a handler that throws changes nothing. Results of `ctx.transaction` are
 * kept by then, and come back from there.
 *
 * Telegraf's own middleware is not used, because it hands one object to all updates that are handled
 * at the same time, also after an attempt that was given up.
 */
import type { Context, MiddlewareFn } from "telegraf";
import { documentBytesMax } from "../core/documents.ts";
import { DataRefusedError, SessionConflictError } from "../core/errors.ts";
import { toPlainText } from "../core/plain-data.ts";
import type { Store } from "../core/store.ts";
import type { Transaction } from "../core/transaction.ts";
import type { BotContext } from "./bot-context.ts";

/** As in Telegraf; see https://telegraf.js.org, `session`. A `store` is Telegraf's own matter. */
export interface SessionOptions<S, C extends Context, P extends string> {
  /** Where it is found on the context. Default `session`. */
  readonly property?: P;
  /**
   * Names the session of an update, in at most 150 characters; `undefined` gives it none. Default:
   * `${ctx.from.id}:${ctx.chat.id}`. With a key that spans chats, two updates may want to change one
   * session at the same time: the second one is then handled again.
   */
  readonly getSessionKey?: (ctx: C) => string | undefined | Promise<string | undefined>;
  /** Makes a session where there is none. Default: `ctx.session` is `undefined` until it is set. */
  readonly defaultSession?: (ctx: C) => S;
}

/**
 * Makes the middleware: `bot.use(kit.session({ defaultSession: () => ({ count: 0 }) }))`. Scenes of
 * Telegraf work over it.
 *
 * A session is plain JSON data of at most 64 KiB with what is stored beside it; anything else fails the handler with
 * `DataRefusedError`, which names the place. `ctx.session = undefined` deletes it. It is deleted as
 * well when no update has touched it for SESSIONS_KEEP_DAYS.
 */
export type MakeSession = <
  S extends NonNullable<C[P]>,
  C extends BotContext & { [key in P]?: C[P] },
  P extends string = "session",
>(
  options?: SessionOptions<S, C, P>,
) => MiddlewareFn<C>;

export interface SessionDeps {
  readonly store: Pick<Store, "read">;
  /** Milliseconds for which a session is kept after the last update that touched it. */
  readonly keepMs: number;
}

/** A session as a document. */
interface Kept {
  /** The update that wrote it. No other one can have left the session as it is. */
  readonly updateId: number;
  readonly writtenAtEpochMs: number;
  readonly data: unknown;
}

const collection = "kit:session";
/** Leaves room for what is stored beside the data. */
const bytesMax = documentBytesMax - 128;
const keyLengthMax = 150;
/** A session that is used but does not change is written once in this time, so that it is kept. */
const renewAfterMs = 3_600_000;

export function createSession({ keepMs, store }: SessionDeps): MakeSession {
  return ({ defaultSession, getSessionKey = defaultKey, property } = {}) => {
    const name: string = property ?? "session";
    return async (ctx, next) => {
      const sessionKey = await getSessionKey(ctx);
      if (!sessionKey) {
        Object.assign(ctx, { [name]: undefined });
        return next();
      }
      const key = documentKey(sessionKey, name);
      const { before, nowEpochMs } = await store.read(async (tx) => ({
        before: await tx.documents.get<Kept>(collection, key),
        nowEpochMs: tx.nowEpochMs,
      }));
      const textBefore = before && JSON.stringify(before.data);
      let session: unknown = before?.data ?? defaultSession?.(ctx);
      let touched = false;
      Object.defineProperty(ctx, name, {
        configurable: true,
        get: () => {
          touched = true;
          return session;
        },
        set: (value: unknown) => {
          touched = true;
          session = value;
        },
      });
      try {
        return await next();
      } finally {
        // As in Telegraf, also when another middleware catches what `next` has thrown.
        if (touched) {
          const text = session == null ? undefined : toPlainText(session, name, bytesMax);
          const ageMs = nowEpochMs - (before?.writtenAtEpochMs ?? nowEpochMs);
          if (text !== textBefore || ageMs >= renewAfterMs) {
            const { update_id: updateId } = ctx.update;
            const change = { before, key, keepMs, property: name, text, updateId };
            ctx.onDone((tx) => writeSession(tx, change));
          }
        }
      }
    };
  };
}

interface Change {
  readonly before: Kept | undefined;
  readonly key: string;
  readonly keepMs: number;
  readonly property: string;
  /** `undefined` deletes the session. */
  readonly text: string | undefined;
  readonly updateId: number;
}

async function writeSession(tx: Transaction, change: Change): Promise<void> {
  const { before, keepMs, key, property, text, updateId } = change;
  const { documents, nowEpochMs: writtenAtEpochMs } = tx;
  const now = await documents.get<Kept>(collection, key);
  // The middleware may be used twice in one update; then the outer one has the last word.
  const conflict = now?.updateId !== before?.updateId && now?.updateId !== updateId;
  if (conflict && !(now === undefined && text === undefined)) {
    throw new SessionConflictError(property);
  }
  if (text === undefined) {
    await documents.delete(collection, key);
    return;
  }
  const kept: Kept = { updateId, writtenAtEpochMs, data: JSON.parse(text) };
  await documents.put(collection, key, kept, { keepMs });
}

/**
 * Deletes the sessions of a person or, for keys of an own `getSessionKey`, of a key: those whose key is
 * `owner` or begins with `owner:`. What a handler has in `ctx.session` it deletes by
 * `ctx.session = undefined`.
 *
 * @returns how many there were.
 */
export async function deleteSessions(
  { documents }: Pick<Transaction, "documents">,
  owner: number | string,
): Promise<number> {
  let deleted = 0;
  for (const prefix of [`${owner}:`, `${owner}|`]) {
    for (;;) {
      const found = await documents.list(collection, { prefix, limit: 100 });
      for (const { key } of found) await documents.delete(collection, key);
      deleted += found.length;
      if (found.length < 100) break;
    }
  }
  return deleted;
}

function defaultKey({ chat, from }: Context): string | undefined {
  return from && chat && `${from.id}:${chat.id}`;
}

/** The last `|` divides the two, because a property has none. */
function documentKey(sessionKey: string, property: string): string {
  if (typeof sessionKey === "string" && sessionKey.length <= keyLengthMax) {
    return `${sessionKey}|${property}`;
  }
  throw new DataRefusedError(
    "getSessionKey",
    `a text of at most ${keyLengthMax} characters, or undefined`,
    typeof sessionKey === "string" ? `${sessionKey.length} characters` : `a ${typeof sessionKey}`,
    "Make the key of ids, such as String(ctx.from.id).",
  );
}
