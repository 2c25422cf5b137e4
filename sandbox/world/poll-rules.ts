/** Poll rules: which votes a poll takes. */
import type { Entity } from "./objects.ts";

export interface PollOption {
  readonly persistent_id: string;
  readonly text: string;
  readonly text_entities?: readonly Entity[];
  readonly voter_count: number;
}

/** Telegram's `Poll`. */
export interface Poll {
  readonly id: string;
  readonly question: string;
  readonly options: readonly PollOption[];
  readonly total_voter_count: number;
  readonly is_closed: boolean;
  readonly is_anonymous: boolean;
  readonly type: "regular" | "quiz";
  readonly allows_multiple_answers: boolean;
  readonly allows_revoting: boolean;
  readonly [other: string]: unknown;
}

export type Change =
  | { readonly poll: Poll; readonly refused?: undefined }
  | { readonly refused: string };

/** Why the poll does not take this vote; undefined when it does. */
export function voteRefusal(
  poll: Poll,
  before: readonly number[],
  optionIds: readonly number[],
): string | undefined {
  if (poll.is_closed) return "the poll is closed";
  if (optionIds.some((id) => !Number.isInteger(id) || !poll.options[id])) {
    return "there is no such option";
  }
  if (new Set(optionIds).size !== optionIds.length) return "an option is named twice";
  if (before.length > 0 && !poll.allows_revoting) return "the vote cannot be changed";
  if (optionIds.length > 1 && !poll.allows_multiple_answers) return "only one option can be chosen";
  if (optionIds.length === 0 && before.length === 0) return "there is no vote to take back";
  return undefined;
}
