/**
 * Gifts: the gifts that can be bought for Stars, and who owns which.
 *
 * Source: Bot API, Gift, OwnedGift and UniqueGift. The sandbox sells a few gifts of its own.
 */
import { LatestMap } from "./latest-map.ts";
import type { User } from "./objects.ts";

export interface GiftKind {
  readonly id: string;
  readonly emoji: string;
  readonly starCount: number;
  readonly upgradeStarCount?: number;
}

export const giftKinds: readonly GiftKind[] = [
  { id: "5170145012310081615", emoji: "💝", starCount: 15, upgradeStarCount: 25 },
  { id: "5170233102089322756", emoji: "🧸", starCount: 15 },
  { id: "5170250947678437525", emoji: "🎁", starCount: 25, upgradeStarCount: 50 },
  { id: "5168103777563050263", emoji: "🌹", starCount: 25 },
  { id: "5170144170496491616", emoji: "🎂", starCount: 50 },
];

export interface OwnedGift {
  readonly id: string;
  /** A user's or a channel's id. */
  ownerId: number;
  readonly kind: GiftKind;
  readonly sender: User;
  readonly atEpochS: number;
  readonly text: string;
  /** Set when it was upgraded: its number among its kind. */
  number?: number;
}

const giftsMax = 10_000;

export class Gifts {
  readonly #owned = new LatestMap<string, OwnedGift>(giftsMax);
  #upgraded = 0;

  add(gift: OwnedGift): void {
    this.#owned.set(gift.id, gift);
  }

  get(id: string): OwnedGift | undefined {
    return this.#owned.get(id);
  }

  remove(id: string): void {
    this.#owned.delete(id);
  }

  /** The latest first. */
  of(ownerId: number): readonly OwnedGift[] {
    return [...this.#owned.values()].filter((gift) => gift.ownerId === ownerId).reverse();
  }

  upgrade(gift: OwnedGift): void {
    this.#upgraded += 1;
    gift.number = this.#upgraded;
  }
}
