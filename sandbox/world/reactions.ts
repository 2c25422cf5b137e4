/**
 * Reactions: what people and the bot have put under the messages of one chat.
 *
 * Only the latest messages with reactions are kept.
 */
import { LatestMap } from "./latest-map.ts";

export type Reaction = Readonly<Record<string, unknown>>;

export interface ReactionCount {
  readonly type: Reaction;
  readonly total_count: number;
}

const messagesMax = 2_000;

export class Reactions {
  readonly #byMessage = new LatestMap<number, Map<number, readonly Reaction[]>>(messagesMax);

  /** @returns the actor's reactions before. */
  set(messageId: number, actorId: number, reactions: readonly Reaction[]): readonly Reaction[] {
    const actors = this.#byMessage.get(messageId) ?? new Map<number, readonly Reaction[]>();
    const before = actors.get(actorId) ?? [];
    if (reactions.length > 0) actors.set(actorId, reactions);
    else actors.delete(actorId);
    this.#byMessage.set(messageId, actors);
    return before;
  }

  /** Removes everything an actor has put in the chat. @returns the messages that had some. */
  removeActor(actorId: number): readonly number[] {
    const changed: number[] = [];
    for (const [messageId, actors] of this.#byMessage) {
      if (actors.delete(actorId)) changed.push(messageId);
    }
    return changed;
  }

  forget(messageId: number): void {
    this.#byMessage.delete(messageId);
  }

  /** How often each reaction stands under a message, the most frequent first. */
  counts(messageId: number): readonly ReactionCount[] {
    const totals = new Map<string, ReactionCount>();
    for (const type of [...(this.#byMessage.get(messageId)?.values() ?? [])].flat()) {
      const key = JSON.stringify(type);
      const total_count = (totals.get(key)?.total_count ?? 0) + 1;
      totals.set(key, { type, total_count });
    }
    return [...totals.values()].sort((a, b) => b.total_count - a.total_count);
  }

  messageIds(): readonly number[] {
    return [...this.#byMessage.keys()];
  }
}
