/** Topics: the threads of one forum. The general topic has number 1, and cannot be deleted. */
export interface Topic {
  readonly id: number;
  readonly name: string;
  readonly iconColor: number;
  readonly iconCustomEmojiId?: string;
  readonly closed: boolean;
  readonly hidden: boolean;
}

export const generalTopicId = 1;
const topicsMax = 5_000;
/** The blue of Telegram's first topic icon. */
export const iconColorDefault = 0x6fb9f0;

export class Topics {
  readonly #topics = new Map<number, Topic>([
    [
      generalTopicId,
      {
        id: generalTopicId,
        name: "General",
        iconColor: iconColorDefault,
        closed: false,
        hidden: false,
      },
    ],
  ]);

  get(id: number): Topic | undefined {
    return this.#topics.get(id);
  }

  put(topic: Topic): void {
    this.#topics.set(topic.id, topic);
    if (this.#topics.size <= topicsMax) return;
    const oldest = [...this.#topics.keys()].find((id) => id !== generalTopicId);
    if (oldest !== undefined) this.#topics.delete(oldest);
  }

  remove(id: number): boolean {
    return id !== generalTopicId && this.#topics.delete(id);
  }

  all(): readonly Topic[] {
    return [...this.#topics.values()];
  }
}
