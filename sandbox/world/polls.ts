/**
 * Polls: the polls that one bot has sent, with the votes of each person.
 *
 * Source: Bot API, Poll and PollAnswer.
 */
import { LatestMap } from "./latest-map.ts";
import { type Change, type Poll, voteRefusal } from "./poll-rules.ts";
import type { Room } from "./room.ts";

interface Entry {
  poll: Poll;
  readonly room: Room;
  readonly messageId: number;
  readonly votes: Map<number, readonly number[]>;
}

const pollsMax = 10_000;

export class Polls {
  readonly #entries = new LatestMap<string, Entry>(pollsMax);

  open(poll: Poll, room: Room, messageId: number): void {
    this.#entries.set(poll.id, { poll, room, messageId, votes: new Map() });
  }

  place(pollId: string): { readonly room: Room; readonly messageId: number } | undefined {
    return this.#entries.get(pollId);
  }

  get(pollId: string): Poll | undefined {
    return this.#entries.get(pollId)?.poll;
  }

  votesOf(pollId: string, userId: number): readonly number[] {
    return this.#entries.get(pollId)?.votes.get(userId) ?? [];
  }

  /** @param optionIds Empty takes the vote back. @returns the poll after it, or why not. */
  vote(pollId: string, userId: number, optionIds: readonly number[]): Change {
    const entry = this.#entries.get(pollId);
    if (!entry) return { refused: "there is no such poll" };
    const refused = voteRefusal(entry.poll, entry.votes.get(userId) ?? [], optionIds);
    if (refused) return { refused };
    if (optionIds.length > 0) entry.votes.set(userId, optionIds);
    else entry.votes.delete(userId);
    return { poll: this.#counted(entry) };
  }

  close(pollId: string): Poll | undefined {
    const entry = this.#entries.get(pollId);
    if (!entry) return undefined;
    entry.poll = { ...entry.poll, is_closed: true };
    return entry.poll;
  }

  #counted(entry: Entry): Poll {
    const votes = [...entry.votes.values()];
    const options = entry.poll.options.map((option, index) => ({
      ...option,
      voter_count: votes.filter((ids) => ids.includes(index)).length,
    }));
    entry.poll = { ...entry.poll, options, total_voter_count: votes.length };
    return entry.poll;
  }
}
