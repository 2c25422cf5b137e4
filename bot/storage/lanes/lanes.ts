/**
 * Lanes: the order in which one pool's messages are claimed; the index in memory of what is on disk.
 *
 * A lane is a line of messages, of which only the first, its head, may be claimed. A lane that is in
 * hand (its head is being worked on) is in no heap; every other lane is in the heap of its priority,
 * which is the highest of all its messages: a reply behind a broadcast in the same chat pulls the lane
 * forward without changing the order within the chat.
 *
 * Holds numbers only, about 66 bytes for a message and 65 for a lane with its name (measured by
 * npm run bench:queue); everything else about a message stays on disk.
 */
import { priorities } from "../../core/message.ts";
import { Column, Slots } from "./column.ts";
import { ReadyHeap } from "./ready-heap.ts";

/** The facts that decide when a message's turn comes. */
export interface Waiting {
  /** Higher than the ids of the messages before it in its lane. */
  readonly id: number;
  /** 0 (high), 1 (normal) or 2 (low). */
  readonly priority: number;
  readonly createdAt: number;
  readonly availableAt: number;
  /** How often the process died while working on it, as far as it is suspected of that. */
  readonly suspicion: number;
  /** Failed attempts. */
  readonly attempts: number;
}

/** A lane whose head waits on purpose. */
export interface WaitingHead {
  readonly lane: string;
  readonly parked: boolean;
  readonly availableAt: number;
  readonly createdAt: number;
  readonly attempts: number;
}

/** A look at the heads of one priority. */
export interface Look {
  readonly priority: number;
  readonly availableBy: number;
  /** Whether heads under suspicion are shown too. */
  readonly withSuspects: boolean;
  /** At most so many heads are shown. */
  readonly headsMax: number;
}

/**
 * Says what becomes of a head that is shown; "end" leaves it in its place and ends the look.
 *
 * @param priority Its lane's.
 */
export type Decide = (id: number, priority: number) => Verdict;
export type Verdict = "take" | "end" | { readonly notBefore: number };

/** More messages than this leave columns behind that are worth giving back. */
const messagesKeptMax = 10_000;

export class Lanes {
  readonly #slotOf = new Map<string, number>();
  /** The lane of each message in hand. */
  readonly #inHand = new Map<number, number>();
  /** Lanes in a heap whose head is under suspicion; there are few. */
  readonly #suspects = new Set<number>();
  /** Until when no message of a lane starts, even if its head changes or it is empty for a while. */
  readonly #parks: Map<string, number>;

  // The messages: in a slot that is free, `createdAt` is Infinity.
  readonly #messages = new Slots();
  readonly #id = new Column(Float64Array);
  readonly #createdAt = new Column(Float64Array);
  readonly #availableAt = new Column(Float64Array);
  readonly #priority = new Column(Uint8Array);
  readonly #suspicion = new Column(Uint8Array);
  readonly #attempts = new Column(Uint8Array);
  /** The message behind it in its lane; meaningless for the last one. */
  readonly #next = new Column(Int32Array);

  // The lanes.
  readonly #lanes = new Slots();
  readonly #head = new Column(Int32Array);
  readonly #last = new Column(Int32Array);
  /** When the head may be claimed. */
  readonly #dueAt = new Column(Float64Array);
  /** How many messages of each priority it holds. */
  readonly #counts = priorities.map(() => new Column(Uint32Array));
  /** Its place in its heap. */
  readonly #place = new Column(Int32Array);
  readonly #ready = priorities.map(
    () => new ReadyHeap(this.#place, (lane, other) => this.#isBefore(lane, other)),
  );
  /** Messages of each priority. */
  readonly #sizes = priorities.map(() => 0);

  /** @param emptied Other lanes, whose parks go on in these. */
  constructor(emptied?: Lanes) {
    this.#parks = emptied ? emptied.#parks : new Map();
  }

  /** Messages that wait or are in hand. */
  get size(): number {
    return this.sizeFrom(priorities.length - 1);
  }

  /** The same, of this priority or higher. */
  sizeFrom(priority: number): number {
    return this.#sizes.reduce((sum, size, rank) => (rank <= priority ? sum + size : sum), 0);
  }

  /** Whether new lanes would take less memory than these. */
  get isWasteful(): boolean {
    return this.size === 0 && this.#messages.end > messagesKeptMax;
  }

  /** Lanes with at least one message. */
  get count(): number {
    return this.#slotOf.size;
  }

  /** The ids of the messages in hand. */
  get inHand(): Iterable<number> {
    return this.#inHand.keys();
  }

  get inHandCount(): number {
    return this.#inHand.size;
  }

  /** When the first head that waits becomes available; `undefined` when none waits. */
  get nextAvailableAt(): number | undefined {
    return this.nextAvailableAtFrom(priorities.length - 1);
  }

  /** The same, in lanes of this priority or higher. */
  nextAvailableAtFrom(priority: number): number | undefined {
    const ready = this.#ready.slice(0, priority + 1);
    const firsts = ready.flatMap(({ first }) => (first === undefined ? [] : [first]));
    if (firsts.length === 0) return undefined;
    return Math.min(...firsts.map((lane) => this.#dueAt.get(lane)));
  }

  /** When the oldest message was queued. Reads one column: a millisecond with a million messages. */
  get oldestCreatedAt(): number | undefined {
    let oldest = Number.POSITIVE_INFINITY;
    for (let message = 0; message < this.#messages.end; message++) {
      oldest = Math.min(oldest, this.#createdAt.get(message));
    }
    return this.size === 0 ? undefined : oldest;
  }

  /** How many messages of this lane wait or are in hand. */
  length(name: string): number {
    const lane = this.#slotOf.get(name);
    if (lane === undefined) return 0;
    return this.#counts.reduce((sum, count) => sum + count.get(lane), 0);
  }

  /** Adds a message to the end of a lane. */
  add(name: string, waiting: Waiting): void {
    const message = this.#store(waiting);
    const lane = this.#slotOf.get(name);
    if (lane === undefined) {
      this.#begin(name, message);
      return;
    }
    this.#next.set(this.#last.get(lane), message);
    this.#last.set(lane, message);
    const pulled = waiting.priority < this.#rank(lane) && !this.#isInHand(lane);
    if (pulled) this.#withdraw(lane);
    addTo(this.#counts[waiting.priority], lane, 1);
    if (pulled) this.#offer(lane);
  }

  #store({ attempts, availableAt, createdAt, id, priority, suspicion }: Waiting): number {
    const message = this.#messages.take();
    this.#id.set(message, id);
    this.#createdAt.set(message, createdAt);
    this.#availableAt.set(message, availableAt);
    this.#priority.set(message, priority);
    this.#suspicion.set(message, suspicion);
    this.#attempts.set(message, attempts);
    this.#count(priority, 1);
    return message;
  }

  #begin(name: string, message: number): void {
    const lane = this.#lanes.take();
    this.#slotOf.set(name, lane);
    this.#head.set(lane, message);
    this.#last.set(lane, message);
    for (const count of this.#counts) count.set(lane, 0);
    addTo(this.#counts[this.#priority.get(message)], lane, 1);
    this.#enter(lane, Math.max(this.#availableAt.get(message), this.#parkedUntil(name)));
  }

  /** Takes the head of a lane in hand without asking. @param id Must be its head. */
  take(name: string, id: number): void {
    const lane = this.#slotOf.get(name);
    if (lane === undefined || this.#headId(lane) !== id) {
      throw new Error(`message ${id} is not the head of its lane`);
    }
    this.#withdraw(lane);
    this.#inHand.set(id, lane);
  }

  /**
   * Shows the heads that may be claimed, longest available first, until `decide` ends the look. It
   * must not change the lanes.
   */
  look({ availableBy, priority, ...look }: Look, decide: Decide): void {
    const heap = this.#ready[priority];
    const next = () => {
      const lane = heap?.first;
      return lane !== undefined && this.#dueAt.get(lane) <= availableBy ? lane : undefined;
    };
    this.#show(next, look, decide);
  }

  /** Like `look`, at the heads under suspicion only, those that died least often first. */
  lookAtSuspects(availableBy: number, headsMax: number, decide: Decide): void {
    const lanes = [...this.#suspects]
      .filter((lane) => this.#dueAt.get(lane) <= availableBy)
      .sort(
        (a, b) => this.#suspicionOf(a) - this.#suspicionOf(b) || this.#headId(a) - this.#headId(b),
      );
    this.#show(() => lanes.shift(), { headsMax, withSuspects: true }, decide);
  }

  #show(
    next: () => number | undefined,
    { headsMax, withSuspects }: Pick<Look, "headsMax" | "withSuspects">,
    decide: Decide,
  ): void {
    const passed: number[] = [];
    try {
      for (let shown = 0; shown < headsMax; ) {
        const lane = next();
        if (lane === undefined) return;
        this.#withdraw(lane);
        passed.push(lane);
        if (!withSuspects && this.#suspicionOf(lane) > 0) continue;
        shown++;
        const verdict = decide(this.#headId(lane), this.#rank(lane));
        if (verdict === "end") return;
        if (verdict === "take") this.#inHand.set(this.#headId(lane), passed.pop() as number);
        else this.#dueAt.set(lane, verdict.notBefore);
      }
    } finally {
      for (const lane of passed) this.#offer(lane);
    }
  }

  /** Returns a message in hand to its place at the head of its lane. */
  giveBack(
    name: string,
    {
      attempts,
      availableAt,
      id,
      suspicion,
    }: Pick<Waiting, "id" | "availableAt" | "suspicion" | "attempts">,
  ): void {
    const lane = this.#release(id);
    this.#suspicion.set(this.#head.get(lane), suspicion);
    this.#attempts.set(this.#head.get(lane), attempts);
    this.#enter(lane, Math.max(availableAt, this.#parkedUntil(name)));
  }

  /** Removes a message in hand; the next one becomes the head of its lane. */
  remove(name: string, id: number): void {
    this.#removeHead(name, this.#release(id));
  }

  /**
   * Removes a message that waits, wherever it stands in its lane.
   *
   * @returns false when it is not there, or in hand.
   */
  removeWaiting(name: string, id: number): boolean {
    const lane = this.#slotOf.get(name);
    if (lane === undefined) return false;
    const head = this.#head.get(lane);
    const last = this.#last.get(lane);
    if (this.#id.get(head) === id) {
      if (this.#isInHand(lane)) return false;
      this.#withdraw(lane);
      this.#removeHead(name, lane);
      return true;
    }
    let before = head;
    while (before !== last && this.#id.get(this.#next.get(before)) !== id) {
      before = this.#next.get(before);
    }
    if (before === last) return false;
    const waits = !this.#isInHand(lane);
    if (waits) this.#withdraw(lane);
    const message = this.#next.get(before);
    this.#next.set(before, this.#next.get(message));
    if (message === last) this.#last.set(lane, before);
    this.#forget(message, lane);
    if (waits) this.#offer(lane);
    return true;
  }

  /** Removes the head of a lane that is in no heap. */
  #removeHead(name: string, lane: number): void {
    const head = this.#head.get(lane);
    this.#forget(head, lane);
    if (head === this.#last.get(lane)) {
      this.#slotOf.delete(name);
      this.#lanes.free(lane);
      return;
    }
    const following = this.#next.get(head);
    this.#head.set(lane, following);
    this.#enter(lane, Math.max(this.#availableAt.get(following), this.#parkedUntil(name)));
  }

  #forget(message: number, lane: number): void {
    const priority = this.#priority.get(message);
    addTo(this.#counts[priority], lane, -1);
    this.#createdAt.set(message, Number.POSITIVE_INFINITY);
    this.#messages.free(message);
    this.#count(priority, -1);
  }

  #count(priority: number, by: number): void {
    this.#sizes[priority] = (this.#sizes[priority] ?? 0) + by;
  }

  /** The lanes that are parked, or whose head backs off, longest wait first. Reads all lanes. */
  waiting(now: number, limit: number): readonly WaitingHead[] {
    const found: WaitingHead[] = [];
    for (const [name, lane] of this.#slotOf) {
      const availableAt = this.#dueAt.get(lane);
      if (availableAt <= now || this.#isInHand(lane)) continue;
      const head = this.#head.get(lane);
      const attempts = this.#attempts.get(head);
      const parked = this.#parkedUntil(name) > now;
      if (!parked && attempts === 0) continue;
      const createdAt = this.#createdAt.get(head);
      found.push({ lane: name, parked, availableAt, createdAt, attempts });
    }
    return found.sort((a, b) => b.availableAt - a.availableAt).slice(0, limit);
  }

  /**
   * Ends a lane's park and its head's back-off.
   *
   * @returns the head's id; `undefined` when the lane does not wait.
   */
  release(name: string, now: number): number | undefined {
    const lane = this.#slotOf.get(name);
    if (lane === undefined || this.#isInHand(lane) || this.#dueAt.get(lane) <= now)
      return undefined;
    this.#parks.delete(name);
    this.#withdraw(lane);
    this.#enter(lane, now);
    return this.#headId(lane);
  }

  /** None of this lane's messages starts before `notBefore`, from its next head on. */
  park(name: string, notBefore: number): void {
    this.#parks.set(name, Math.max(notBefore, this.#parkedUntil(name)));
  }

  #parkedUntil(name: string): number {
    return this.#parks.size === 0 ? 0 : (this.#parks.get(name) ?? 0);
  }

  /** Forgets the parks that are over. */
  sweep(now: number): void {
    for (const [name, notBefore] of this.#parks) if (notBefore <= now) this.#parks.delete(name);
  }

  // ---- lanes and heaps --------------------------------------------------------------------------

  #isInHand(lane: number): boolean {
    return this.#place.get(lane) === 0;
  }

  #release(id: number): number {
    const lane = this.#inHand.get(id);
    if (lane === undefined) throw new Error(`message ${id} is not in hand`);
    this.#inHand.delete(id);
    return lane;
  }

  #enter(lane: number, availableAt: number): void {
    this.#dueAt.set(lane, availableAt);
    this.#offer(lane);
  }

  #offer(lane: number): void {
    this.#ready[this.#rank(lane)]?.push(lane);
    if (this.#suspicionOf(lane) > 0) this.#suspects.add(lane);
  }

  #withdraw(lane: number): void {
    this.#ready[this.#rank(lane)]?.remove(lane);
    if (this.#suspects.size > 0) this.#suspects.delete(lane);
  }

  /** The highest priority of all its messages. */
  #rank(lane: number): number {
    return this.#counts.findIndex((count) => count.get(lane) > 0);
  }

  #headId(lane: number): number {
    return this.#id.get(this.#head.get(lane));
  }

  #suspicionOf(lane: number): number {
    return this.#suspicion.get(this.#head.get(lane));
  }

  #isBefore(lane: number, other: number): boolean {
    const earlier = this.#dueAt.get(lane) - this.#dueAt.get(other);
    return earlier < 0 || (earlier === 0 && this.#headId(lane) < this.#headId(other));
  }
}

function addTo(count: Column | undefined, lane: number, change: number): void {
  count?.set(lane, count.get(lane) + change);
}
