/** Invite links: the links of one chat, and the people who asked to join by them. */
import { LatestMap } from "./latest-map.ts";
import type { User } from "./objects.ts";

/** Telegram's `ChatInviteLink`. */
export interface InviteLink {
  readonly invite_link: string;
  readonly creator: User;
  readonly creates_join_request: boolean;
  readonly is_primary: boolean;
  readonly is_revoked: boolean;
  readonly name?: string;
  readonly expire_date?: number;
  readonly member_limit?: number;
  readonly pending_join_request_count?: number;
  readonly subscription_period?: number;
  readonly subscription_price?: number;
}

const linksMax = 1_000;

export class InviteLinks {
  readonly #links = new LatestMap<string, InviteLink>(linksMax);
  readonly #joined = new LatestMap<string, number>(linksMax);
  /** Who waits for an answer, with the link they came by. */
  readonly requests = new LatestMap<number, string | undefined>(linksMax);

  get(link: string): InviteLink | undefined {
    return this.#links.get(link);
  }

  put(link: InviteLink): InviteLink {
    this.#links.set(link.invite_link, link);
    return link;
  }

  get primary(): InviteLink | undefined {
    return [...this.#links.values()].find((link) => link.is_primary && !link.is_revoked);
  }

  /** Counts a member who came by the link. */
  use(link: string): void {
    this.#joined.set(link, this.uses(link) + 1);
  }

  uses(link: string): number {
    return this.#joined.get(link) ?? 0;
  }
}
