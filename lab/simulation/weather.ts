/**
 * Weather: decides which faults of network, Telegram, disk, machine and process happen, and when.
 *
 * The seed decides it before a run: spells of one trouble each, which may overlap, and a background of
 * rare single faults. After `fineFromMs` there are no faults any more.
 */
import type { Random } from "../../bot/core/clock.ts";

export const troubles = [
  // network
  "unreachable",
  "half-open",
  "slow",
  "cut",
  // Telegram
  "server-errors",
  "rate-limits",
  "chats-limited",
  "token-refused",
  "other-poller",
  // disk
  "disk-full",
  "disk-slow",
] as const;

/** Troubles that make the bot hold work back. */
const holding: readonly Trouble[] = [
  "unreachable",
  "server-errors",
  "rate-limits",
  "chats-limited",
  "chats-limited",
  "token-refused",
  "disk-full",
];

export type Trouble = (typeof troubles)[number];

/**
 * Seconds that a 429 asks for at most. Longer ones are not drawn yet: what the bot does about them is a
 * rule of its own.
 */
export const retryAfterSecondsMax = 30;

export interface Spell {
  readonly trouble: Trouble;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A blow ends or pauses a process, or steps its clock. */
export interface Blow {
  readonly atMs: number;
  readonly kind:
    | "kill"
    | "power-cut"
    | "kill-again-and-again"
    | "kill-at-commit"
    | "kill-after-commit"
    | "kill-at-statement"
    | "kill-after-call"
    | "sync-fails"
    | "deploy"
    | "pause"
    | "clock-step"
    | "idle-poll-lost";
  /** Length of a pause or a clock step in milliseconds. */
  readonly ms: number;
  /** The moment that a death waits for; the instants after such a moment matter most. */
  readonly trigger: Trigger;
}

export const triggers = ["now", "updates-received", "handler-ended", "call-answered"] as const;

export type Trigger = (typeof triggers)[number];

export interface Forecast {
  readonly spells: readonly Spell[];
  readonly blows: readonly Blow[];
  /** Probability that a call fails outside of any spell. */
  readonly backgroundFaults: number;
  readonly fineFromMs: number;
}

const blowKinds: readonly Blow["kind"][] = [
  "kill",
  "kill",
  "power-cut",
  "power-cut",
  "kill-again-and-again",
  "kill-at-commit",
  "kill-after-commit",
  "kill-at-statement",
  "kill-after-call",
  "sync-fails",
  "deploy",
  "pause",
  "clock-step",
  "idle-poll-lost",
];

/** @param fineFromMs Length of the bad weather. */
export function drawForecast(random: Random, fineFromMs: number): Forecast {
  // Short and long spells are equally frequent.
  const lengthMs = () => 200 * 100 ** random();
  const spells = Array.from({ length: Math.floor(random() * 5) }, (): Spell => {
    const trouble = pick(random, troubles);
    const fromMs = random() * fineFromMs;
    return { trouble, fromMs, untilMs: Math.min(fineFromMs, fromMs + lengthMs()) };
  });
  // Holds that are in force when the weather turns fine are what liveness is about.
  const last = random() < 0.4 ? 0 : 1 + Math.floor(random() * 3);
  for (let count = 0; count < last; count++) {
    const fromMs = fineFromMs - 2_000 * 20 ** random();
    spells.push({ trouble: pick(random, holding), fromMs, untilMs: fineFromMs });
  }
  const blows = Array.from({ length: Math.floor(random() * 8) }, (): Blow => {
    const kind = pick(random, blowKinds);
    const sign = random() < 0.5 ? -1 : 1;
    const ms = kind === "pause" ? 500 * 60 ** random() : sign * 1_000 * 7_200 ** random();
    const trigger = pick(random, triggers);
    return { kind, atMs: random() * fineFromMs, ms, trigger };
  });
  if (random() < 0.2) {
    const atMs = fineFromMs - random() * 20_000;
    blows.push({ kind: "kill-again-and-again", atMs, ms: 0, trigger: "now" });
  }
  const backgroundFaults = random() < 0.5 ? 0 : 0.1 * random();
  return { spells, blows, backgroundFaults, fineFromMs };
}

export function pick<T>(random: Random, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)] as T;
}

/** Answers what a forecast means at the present instant. */
export class Weather {
  readonly #forecast: Forecast;
  readonly #random: Random;
  readonly #nowMs: () => number;

  constructor(forecast: Forecast, random: Random, nowMs: () => number) {
    this.#forecast = forecast;
    this.#random = random;
    this.#nowMs = nowMs;
  }

  has(trouble: Trouble): boolean {
    const nowMs = this.#nowMs();
    return this.#forecast.spells.some(
      (spell) => spell.trouble === trouble && spell.fromMs <= nowMs && nowMs < spell.untilMs,
    );
  }

  /** The trouble that one call meets, if any. */
  strikesCall(method: string): Trouble | undefined {
    const nowMs = this.#nowMs();
    if (nowMs >= this.#forecast.fineFromMs) return undefined;
    const polls = method.toLowerCase() === "getupdates";
    for (const trouble of ["unreachable", "half-open", "token-refused"] as const) {
      if (this.has(trouble)) return trouble;
    }
    if (polls && this.has("other-poller")) return "other-poller";
    const sometimes: readonly Trouble[] = ["cut", "server-errors", "rate-limits"];
    if (this.has("chats-limited") && this.#random() < 0.5) return "chats-limited";
    for (const trouble of sometimes) {
      if (this.has(trouble) && this.#random() < 0.4) return trouble;
    }
    if (this.#random() < this.#forecast.backgroundFaults) return pick(this.#random, sometimes);
    return undefined;
  }

  /** Milliseconds from one end of the network to the other. */
  latencyMs(): number {
    return this.has("slow") ? 300 + this.#random() * 3_000 : 5 + this.#random() * 60;
  }

  /**
   * Milliseconds for which the disk delays a commit.
   *
   * @param young Whether the process was started recently.
   */
  commitStallMs(young: boolean): number {
    if (young && this.#random() < 0.1) return this.#random() * 800;
    if (this.has("disk-slow")) return this.#random() * 1_500;
    return this.#random() < 0.02 ? this.#random() * 100 : 0;
  }

  /** How long a sync takes, during which the process goes on. */
  syncMs(): number {
    if (this.has("disk-slow")) return this.#random() * 1_500;
    return this.#random() < 0.9 ? this.#random() * 3 : this.#random() * 50;
  }
}
