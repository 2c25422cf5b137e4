/**
 * Durable queue: what the queues that are compared have in common, and the unit of work.
 *
 * An update is queued on disk, handled, and done together with its reply, which is queued in the same
 * transaction; the reply is sent, and done. The handler and the send take no time, so that only the queue
 * is measured. Updates of a chat are worked on one at a time, and so are its replies.
 */

/** Something that a person wrote. */
export interface Update {
  readonly chat: number;
  /** How many this chat has written, with this one. */
  readonly number: number;
  /** When it was meant to be written, by `nowMs`. */
  readonly atMs: number;
}

export interface QueueSetup {
  /** The database; a directory for what has none. */
  readonly url: string;
  /** Names the process among those of one measurement. The first one, 0, takes updates in, and sends. */
  readonly process: number;
  /** Updates in hand at a time; of replies four times as many, as in the bot. */
  readonly concurrency: number;
  /** Milliseconds for which it is remembered that an update was queued. */
  readonly dedupeKeepMs: number;
  /** Called with every reply that is sent. */
  readonly send: (update: Update) => void;
  /** Called when it cannot go on. */
  readonly fail: (error: unknown) => void;
}

export interface DurableQueue {
  /** Resolves when they are on disk. */
  add(updates: readonly Update[]): Promise<void>;
  /** Ends in good order. */
  close(): Promise<void>;
}

export type OpenQueue = (setup: QueueSetup) => Promise<DurableQueue>;

/** How many replies may be in hand for each update that may be. */
export const repliesPerUpdate = 4;

/** Text of an update and of a reply, about as long as in a chat. */
export const texts = { update: "x".repeat(250), reply: "y".repeat(200) };
