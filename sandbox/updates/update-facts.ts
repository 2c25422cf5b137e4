/**
 * Update facts: the history of every update, seen from the user's side.
 *
 * The memory is bounded; the oldest facts go first. The bodies of the latest are kept, so that a
 * confirmed update can be delivered again.
 */
import type { FactQuery, UpdateDelivery, UpdateFact } from "../control-api.ts";
import type { UpdateEnd } from "./update-queue.ts";

interface Fact extends UpdateFact {
  readonly deliveries: UpdateDelivery[];
  end: UpdateEnd | null;
  endedAtMs: number | null;
}

const limitDefault = 1_000;
const bodiesMax = 20_000;

export class UpdateFacts {
  readonly #factsMax: number;
  readonly #nowMs: () => number;
  /** Facts by bot and update id, in order of creation. */
  readonly #facts = new Map<string, Fact>();
  readonly #bodies = new Map<string, string>();
  #sequences = 0;

  constructor(factsMax: number, nowMs: () => number) {
    this.#factsMax = factsMax;
    this.#nowMs = nowMs;
  }

  created(
    botId: number,
    updateId: number,
    kind: string,
    chatId: number | null,
    body: string,
  ): void {
    const key = keyOf(botId, updateId);
    this.#sequences += 1;
    this.#facts.delete(key);
    this.#facts.set(key, {
      sequence: this.#sequences,
      botId,
      updateId,
      kind,
      chatId,
      createdAtMs: this.#nowMs(),
      deliveries: [],
      end: null,
      endedAtMs: null,
    });
    this.#bodies.set(key, body);
    forgetOldest(this.#facts, this.#factsMax);
    forgetOldest(this.#bodies, bodiesMax);
  }

  delivered(
    botId: number,
    updateIds: readonly number[],
    delivery: Omit<UpdateDelivery, "atMs">,
  ): void {
    const atMs = this.#nowMs();
    for (const updateId of updateIds) {
      this.#facts.get(keyOf(botId, updateId))?.deliveries.push({ atMs, ...delivery });
    }
  }

  ended(botId: number, updateId: number, end: UpdateEnd): void {
    const fact = this.#facts.get(keyOf(botId, updateId));
    if (!fact) return;
    fact.end = end;
    fact.endedAtMs = this.#nowMs();
  }

  bodyOf(botId: number, updateId: number): string | undefined {
    return this.#bodies.get(keyOf(botId, updateId));
  }

  query(query: FactQuery): readonly UpdateFact[] {
    const limit = query.limit ?? limitDefault;
    const found: UpdateFact[] = [];
    for (const fact of this.#facts.values()) {
      if (found.length >= limit) break;
      if (fact.sequence <= (query.after ?? 0)) continue;
      if (query.updateId !== undefined && fact.updateId !== query.updateId) continue;
      if (query.botId !== undefined && fact.botId !== query.botId) continue;
      found.push(fact);
    }
    return found;
  }

  /** When chats wrote to the bot, which reopens a chat that had blocked it. */
  *writings(): Iterable<{
    readonly botId: number;
    readonly chatId: number;
    readonly atMs: number;
  }> {
    for (const { botId, chatId, createdAtMs } of this.#facts.values()) {
      if (chatId !== null) yield { botId, chatId, atMs: createdAtMs };
    }
  }
}

function keyOf(botId: number, updateId: number): string {
  return `${botId}:${updateId}`;
}

function forgetOldest<Value>(map: Map<string, Value>, sizeMax: number): void {
  if (map.size <= sizeMax) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}
