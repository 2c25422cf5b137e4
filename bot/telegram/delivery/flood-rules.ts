/**
 * Flood control: keeps Telegram's sending limits with sliding windows.
 *
 * A message occupies its windows from its start until one window length after its answer. If no
 * answer came, the call may still be on its way and counts as answered a little later. Telegram
 * therefore never sees more than the limit in any window, whatever happens to the calls, and a
 * burst after a quiet time is no larger than the limit. (Measured: the fixed windows of a popular
 * throttler let 60 messages through in one second at a limit of 30.)
 *
 * Messages of low priority are spread over the second, and leave free what replies are likely to need:
 * otherwise a broadcast would fill the window, and every reply would wait for a place in it.
 *
 * Source of the limits: core.telegram.org/bots/faq (1 message per second in a chat, 20 per minute
 * in a group, 30 per second overall). Edits count like messages, and an album counts its items.
 * Pure; every instant is the caller's monotonic milliseconds.
 */

export interface FloodLimits {
  /** False switches all limits off (for a local Bot API server and for benchmarks). */
  readonly enabled: boolean;
  /** Messages in a chat within `chatBurst` seconds; 1 means one per second without bursts. */
  readonly chatBurst: number;
  /** Messages in a group or channel within 60 s. */
  readonly groupPerMinute: number;
  /** Messages in all chats together within 1 s. */
  readonly totalPerSecond: number;
}

/** When a message may start: now, at an instant, or after a call in flight has been answered. */
export type FloodVerdict = "now" | "after-flight" | { readonly atMs: number };

/** The outcome of an ended call: it was answered, it was provably not sent, or unknown. */
export type CallEnd = "answered" | "not-sent" | "unknown";

interface Entry {
  readonly cost: number;
  /** When it was answered; `Infinity` while in flight. */
  answeredAtMs: number;
}

interface Window {
  readonly limit: number;
  readonly lengthMs: number;
}

interface Flight {
  /** "unknown" until `ended` is called. */
  end: CallEnd;
  readonly entry: Entry;
  readonly scope: string;
}

const secondMs = 1_000;
const minuteMs = 60_000;

/**
 * Milliseconds during which an abandoned call may still be executed: it may lie in a socket or a
 * proxy after the process that wrote it has died.
 */
const lateExecutionMs = 1_000;
/** The rounding error between two processes' readings of the epoch, in milliseconds. */
const epochErrorMs = 2;

/** Low-priority messages are spread over the second, so a reply never waits for a full second. */
const spreadSlices = 10;

/** Replies of this time say how much room the next ones need. */
const replyMemoryMs = 5_000;
/** The part of the window that replies can keep free at most, so that low priority goes on. */
const reserveShareMax = 0.5;

export class FloodControl {
  readonly #limits: FloodLimits;
  readonly #total: Entry[] = [];
  readonly #chats = new Map<string, Entry[]>();
  readonly #flights = new Map<number, Flight>();
  /** Start instants of low-priority messages within the last slice. */
  #lowStartsMs: number[] = [];
  /** Start instants of the others within `replyMemoryMs`, with what each costs. */
  readonly #replies: { readonly atMs: number; readonly cost: number }[] = [];
  #replyCost = 0;

  constructor(limits: FloodLimits) {
    this.#limits = limits;
  }

  /**
   * When a message may start according to the limit of all chats together.
   *
   * @param low Whether the message has low priority: it is spread evenly, and leaves room for replies.
   */
  overall(cost: number, low: boolean, nowMs: number): FloodVerdict {
    if (!this.#limits.enabled || cost === 0) return "now";
    const { totalPerSecond } = this.#limits;
    const limit = low ? totalPerSecond - this.#reserve(nowMs) : totalPerSecond;
    const verdict = decide(this.#total, { limit, lengthMs: secondMs }, cost, nowMs);
    if (verdict !== "now" || !low) return verdict;
    return this.#spread(nowMs);
  }

  /**
   * The places that replies are likely to need within a slice, until places of low priority are free again:
   * as many as there were of late, and three standard deviations more (of a Poisson process). None when no
   * one was answered of late.
   */
  #reserve(nowMs: number): number {
    this.#forgetReplies(nowMs);
    const perSlice = (this.#replyCost * secondMs) / (replyMemoryMs * spreadSlices);
    const wanted = Math.ceil(perSlice + 3 * Math.sqrt(perSlice));
    return Math.min(wanted, Math.floor(this.#limits.totalPerSecond * reserveShareMax));
  }

  #spread(nowMs: number): FloodVerdict {
    const sliceMs = secondMs / spreadSlices;
    this.#lowStartsMs = this.#lowStartsMs.filter((atMs) => atMs > nowMs - sliceMs);
    const perSlice = Math.max(1, Math.ceil(this.#limits.totalPerSecond / spreadSlices));
    const first = this.#lowStartsMs[this.#lowStartsMs.length - perSlice];
    return first === undefined ? "now" : { atMs: first + sliceMs };
  }

  /** When a message may start according to its chat's limits. */
  inChat(scope: string, cost: number, nowMs: number): FloodVerdict {
    if (!this.#limits.enabled || cost === 0) return "now";
    const entries = this.#chats.get(scope);
    if (!entries) return "now";
    const verdicts = this.#windowsOf(scope).map((window) => decide(entries, window, cost, nowMs));
    return verdicts.reduce(later);
  }

  /** Records a start: the message occupies its windows until it is settled. */
  start(id: number, scope: string | undefined, cost: number, low: boolean, nowMs: number): void {
    if (!this.#limits.enabled || cost === 0 || scope === undefined) return;
    const entry: Entry = { cost, answeredAtMs: Number.POSITIVE_INFINITY };
    this.#flights.set(id, { end: "unknown", entry, scope });
    this.#admit(entry, scope, nowMs);
    if (low) this.#lowStartsMs.push(nowMs);
    else this.#noteReply(cost, nowMs);
  }

  #noteReply(cost: number, atMs: number): void {
    this.#forgetReplies(atMs);
    this.#replies.push({ atMs, cost });
    this.#replyCost += cost;
  }

  #forgetReplies(nowMs: number): void {
    const kept = this.#replies.findIndex(({ atMs }) => atMs > nowMs - replyMemoryMs);
    const forgotten = this.#replies.splice(0, kept < 0 ? this.#replies.length : kept);
    for (const { cost } of forgotten) this.#replyCost -= cost;
  }

  /** Records how the message's call ended. Does nothing when it is not in flight. */
  ended(id: number, end: CallEnd): void {
    const flight = this.#flights.get(id);
    if (flight) flight.end = end;
  }

  /**
   * Ends the message's flight. Its call counts as unknown unless `ended` said otherwise.
   *
   * @returns the instant its windows are counted from, which must survive a restart; `undefined` when
   *   it used no room.
   */
  settle(id: number, nowMs: number): number | undefined {
    const flight = this.#flights.get(id);
    if (!flight) return undefined;
    this.#flights.delete(id);
    flight.entry.answeredAtMs = answeredAtMs(flight.end, nowMs);
    return flight.end === "not-sent" ? undefined : flight.entry.answeredAtMs;
  }

  /** Restores room used before a restart, counted from `agoMs` ago (as `settle` returned). */
  restore(scope: string, cost: number, agoMs: number, nowMs: number): void {
    if (!this.#limits.enabled) return;
    // A clock that was set back must neither open the windows early nor close them for long.
    const sinceMs = Math.max(-lateExecutionMs, agoMs) - epochErrorMs;
    this.#admit({ cost, answeredAtMs: nowMs - sinceMs }, scope, nowMs);
  }

  /** The number of chats remembered, bounded by what was sent in the last minute. */
  get chats(): number {
    return this.#chats.size;
  }

  /** Forgets the chats whose windows are open again. */
  prune(nowMs: number): void {
    for (const [scope, entries] of this.#chats) {
      forget(entries, this.#memoryMs(scope), nowMs);
      if (entries.length === 0) this.#chats.delete(scope);
    }
  }

  #admit(entry: Entry, scope: string, nowMs: number): void {
    forget(this.#total, secondMs, nowMs);
    this.#total.push(entry);
    const entries = this.#chats.get(scope) ?? [];
    forget(entries, this.#memoryMs(scope), nowMs);
    entries.push(entry);
    this.#chats.set(scope, entries);
  }

  #memoryMs(scope: string): number {
    return Math.max(...this.#windowsOf(scope).map((window) => window.lengthMs));
  }

  #windowsOf(scope: string): readonly Window[] {
    const { chatBurst, groupPerMinute } = this.#limits;
    const chat = { limit: chatBurst, lengthMs: chatBurst * secondMs };
    return isGroup(scope) ? [chat, { limit: groupPerMinute, lengthMs: minuteMs }] : [chat];
  }
}

/** Groups and channels have negative ids; a public one may also be named by @username. */
export function isGroup(scope: string): boolean {
  return scope.startsWith("-") || scope.startsWith("@");
}

function answeredAtMs(end: CallEnd, nowMs: number): number {
  if (end === "not-sent") return Number.NEGATIVE_INFINITY;
  return end === "answered" ? nowMs : nowMs + lateExecutionMs;
}

function decide(
  entries: readonly Entry[],
  window: Window,
  cost: number,
  nowMs: number,
): FloodVerdict {
  // An album larger than the window fits only into an empty window.
  let room = window.limit - Math.min(cost, window.limit);
  for (let index = entries.length - 1; index >= 0; index--) {
    const entry = entries[index] as Entry;
    const freeAtMs = entry.answeredAtMs + window.lengthMs;
    if (freeAtMs <= nowMs) continue;
    room -= entry.cost;
    if (room < 0)
      return freeAtMs === Number.POSITIVE_INFINITY ? "after-flight" : { atMs: freeAtMs };
  }
  return "now";
}

function later(a: FloodVerdict, b: FloodVerdict): FloodVerdict {
  if (a === "after-flight" || b === "after-flight") return "after-flight";
  if (a === "now") return b;
  if (b === "now") return a;
  return a.atMs >= b.atMs ? a : b;
}

function forget(entries: Entry[], memoryMs: number, nowMs: number): void {
  let open = 0;
  for (const entry of entries) {
    if (entry.answeredAtMs + memoryMs > nowMs) entries[open++] = entry;
  }
  entries.length = open;
}
