/** Fault rules: they decide which requests go wrong, and how. */
import type { Fault, FaultRule, NewFaultRule } from "../control-api.ts";
import { type Random, seededRandom } from "../random.ts";

/** The fields of a request that a rule looks at. */
export interface FaultTarget {
  readonly botId: number;
  /** Lower case. */
  readonly method: string;
  readonly chatId: number | null;
}

interface Rule extends FaultRule {
  readonly method: string;
  struck: number;
  passed: number;
}

export class FaultRules {
  #random: Random;
  readonly #rules = new Map<number, Rule>();
  #ids = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Makes the random choices repeatable: the same seed gives the same choices. */
  reseed(seed: number): void {
    this.#random = seededRandom(seed);
  }

  add(rule: NewFaultRule): number {
    this.#ids += 1;
    const id = this.#ids;
    this.#rules.set(id, { ...rule, method: rule.match.toLowerCase(), id, struck: 0, passed: 0 });
    return id;
  }

  remove(id: number): boolean {
    return this.#rules.delete(id);
  }

  clear(): number {
    const removed = this.#rules.size;
    this.#rules.clear();
    return removed;
  }

  list(): readonly FaultRule[] {
    return [...this.#rules.values()].map(({ method, passed, ...rule }) => rule);
  }

  /** The fault for this request: the first rule that matches strikes. */
  strike(target: FaultTarget): Fault | undefined {
    if (this.#rules.size === 0) return undefined;
    for (const rule of this.#rules.values()) {
      if (matches(rule, target) && this.#strikes(rule)) return rule.fault;
    }
    return undefined;
  }

  #strikes(rule: Rule): boolean {
    if (rule.passed < (rule.skip ?? 0)) {
      rule.passed += 1;
      return false;
    }
    if (rule.probability !== undefined && this.#random() >= rule.probability) return false;
    if (rule.struck >= (rule.count ?? Number.POSITIVE_INFINITY)) return false;
    rule.struck += 1;
    return true;
  }
}

function matches(rule: Rule, target: FaultTarget): boolean {
  return (
    (rule.method === target.method || (rule.method === "*" && target.method !== "webhook")) &&
    (rule.chatId === undefined || rule.chatId === target.chatId) &&
    (rule.botId === undefined || rule.botId === target.botId)
  );
}
