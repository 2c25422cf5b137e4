/**
 * Generated history: makes histories in which every promise was kept, and breaks one of them.
 *
 * Sound histories contain everything that is allowed: repeated ambiguous sends, dead letters, deaths,
 * albums, obeyed refusals, and waiting work where the history ends early.
 */
import fc from "fast-check";
import type { HistoryRecord, RecordOf } from "../../../lab/history/history.ts";
import type { Finding } from "../../../lab/history/verdict.ts";

interface Plan {
  readonly chat: number;
  readonly effects: number;
  readonly replies: number;
  /** The fate of the update. */
  readonly fate: "answered" | "died-with-it" | "given-up" | "waits" | "forgotten";
  /** Index of the reply that is sent again after an ambiguous send. */
  readonly repeated: number;
  readonly refused: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  chat: fc.integer({ min: 0, max: 3 }),
  effects: fc.integer({ min: 0, max: 2 }),
  replies: fc.integer({ min: 0, max: 3 }),
  fate: fc.constantFrom(
    "answered",
    "answered",
    "answered",
    "died-with-it",
    "given-up",
    "forgotten",
  ),
  repeated: fc.integer({ min: 0, max: 9 }),
  refused: fc.boolean(),
});

/** A history without a broken promise. */
export const soundHistory: fc.Arbitrary<HistoryRecord[]> = fc
  .tuple(fc.array(plan, { minLength: 1, maxLength: 25 }), fc.integer({ min: 0, max: 3 }))
  .map(([plans, waiting]) => {
    const late = plans.length - waiting;
    return new Teller().tell(
      plans.map((one, index) => (index < late ? one : { ...one, fate: "waits" })),
    );
  });

/** Writes the records, with enough time between two sends. */
class Teller {
  readonly #records: HistoryRecord[] = [
    { at: 0, kind: "covers", evidence: ["storage", "effects", "replies"] },
    { at: 0, kind: "started" },
  ];
  readonly #sentAt = new Map<string, number>();
  #now = 0;

  tell(plans: readonly Plan[]): HistoryRecord[] {
    for (const [index, one] of plans.entries()) this.#ask(one, index);
    for (const [index, one] of plans.entries()) this.#answer(one, index);
    if (plans.every(({ fate }) => fate !== "waits")) this.#add({ kind: "drained" });
    return this.#records;
  }

  #add(
    record: HistoryRecord extends infer R ? (R extends unknown ? Omit<R, "at"> : never) : never,
  ) {
    this.#now += 40;
    this.#records.push({ ...record, at: this.#now } as HistoryRecord);
  }

  #ask(one: Plan, index: number): void {
    const update = String(index);
    const sent = { kind: "sent-by-user" as const, update, chat: chatOf(one) };
    this.#add({ ...sent, effects: effectsOf(one, index), replies: repliesOf(one, index) });
    if (one.fate === "forgotten") {
      this.#add({ kind: "forgotten", update });
      return;
    }
    this.#add({ kind: "stored", update });
    this.#add({ kind: "confirmed", update });
  }

  #answer(one: Plan, index: number): void {
    const update = String(index);
    const chat = chatOf(one);
    if (one.fate === "forgotten") return;
    if (one.fate === "waits") {
      this.#add({ kind: "waiting", chat, update });
      return;
    }
    this.#add({ kind: "began", update, chat });
    if (one.fate === "given-up") {
      this.#add({ kind: "ended", update, chat });
      this.#add({ kind: "dead", chat, update, replies: [`sorry ${index}`] });
      this.#send(chat, `sorry ${index}`, false);
      return;
    }
    for (const effect of effectsOf(one, index)) {
      this.#add({ kind: "effect", chat, effect, amountMinor: 1 });
    }
    if (one.fate === "died-with-it") {
      this.#add({ kind: "died" });
      this.#add({ kind: "started" });
      this.#add({ kind: "began", update, chat });
    }
    this.#add({ kind: "ended", update, chat });
    if (one.refused) {
      this.#add({ kind: "rate-limited", chat, retryAfterMs: 3_000 });
      this.#now += 3_000;
    }
    for (const [number, reply] of repliesOf(one, index).entries()) {
      const repeated = number === one.repeated;
      this.#send(chat, reply, repeated);
      if (repeated) this.#send(chat, reply, false);
    }
  }

  #send(chat: string, reply: string, ambiguous: boolean): void {
    this.#now = Math.max(this.#now, (this.#sentAt.get(chat) ?? 0) + 3_000);
    this.#add({ kind: "executed", chat, reply, ambiguous });
    this.#sentAt.set(chat, this.#now);
  }
}

/** One of the chats is a group. */
function chatOf({ chat }: Plan): string {
  return chat === 0 ? "-100" : String(chat);
}

function effectsOf({ effects }: Plan, index: number): string[] {
  return Array.from({ length: effects }, (_, number) => `effect ${index}.${number}`);
}

function repliesOf({ replies }: Plan, index: number): string[] {
  return Array.from({ length: replies }, (_, number) => `reply ${index}.${number}`);
}

/** A way to break a history. */
export interface Mutation {
  readonly name: string;
  /** The checker must find one of these. */
  readonly finds: readonly Finding["what"][];
  /** @param pick Chooses one record. @returns `undefined` when nothing can be broken this way. */
  readonly apply: (history: HistoryRecord[], pick: Pick) => HistoryRecord[] | undefined;
}

export type Pick = <T>(items: readonly T[]) => T | undefined;

const drop =
  <Kind extends HistoryRecord["kind"]>(
    kind: Kind,
    suits: (record: RecordOf<Kind>, history: readonly HistoryRecord[]) => boolean = () => true,
  ): Mutation["apply"] =>
  (history, pick) => {
    const victim = pick(
      history.filter((record) => record.kind === kind && suits(record as RecordOf<Kind>, history)),
    );
    return victim && history.filter((record) => record !== victim);
  };

const double =
  (
    kind: HistoryRecord["kind"],
    change: (record: HistoryRecord) => HistoryRecord,
  ): Mutation["apply"] =>
  (history, pick) => {
    const victim = pick(history.filter((record) => record.kind === kind));
    if (!victim) return undefined;
    return history.flatMap((record) => (record === victim ? [record, change(record)] : [record]));
  };

/** Swaps the names of two neighbours of one chat. */
const swap =
  (kind: "effect" | "executed"): Mutation["apply"] =>
  (history, pick) => {
    const ofKind = history
      .filter((one) => one.kind === "effect" || one.kind === "executed")
      .filter((one) => one.kind === kind);
    const pairs = ofKind.flatMap((one, index) => {
      const other = ofKind.slice(index + 1).find(({ chat }) => chat === one.chat);
      return other && nameOf(one) !== nameOf(other) ? [[one, other] as const] : [];
    });
    const pair = pick(pairs);
    if (!pair) return undefined;
    const [one, other] = pair;
    return history.map((record) => {
      if (record === one) return { ...other, at: one.at };
      return record === other ? { ...one, at: other.at } : record;
    });
  };

function nameOf(record: HistoryRecord): string | undefined {
  return record.kind === "effect" ? record.effect : record.kind === "executed" ? record.reply : "";
}

/** Whether a reply was sent only once. */
const isSingle = ({ reply }: RecordOf<"executed">, history: readonly HistoryRecord[]) =>
  !reply.startsWith("sorry") &&
  history.filter((one) => one.kind === "executed" && one.reply === reply).length === 1;

export const mutations: readonly Mutation[] = [
  {
    name: "a reply dropped",
    finds: ["reply-missing", "update-lost"],
    apply: drop("executed", isSingle),
  },
  {
    name: "an effect dropped",
    finds: ["effect-missing", "update-lost"],
    apply: drop("effect"),
  },
  {
    name: "all traces of an update dropped",
    finds: ["update-lost"],
    apply: (history, pick) => {
      const sent = history.filter((record) => record.kind === "sent-by-user");
      const victim = pick(
        sent.filter(
          ({ effects = [], replies = [], update }) =>
            effects.length + replies.length > 0 &&
            history.some((one) => one.kind === "ended" && one.update === update) &&
            !history.some((one) => one.kind === "dead" && one.update === update),
        ),
      );
      return (
        victim &&
        history.filter((record) => {
          if (record.kind === "effect") return !victim.effects?.includes(record.effect);
          return record.kind !== "executed" || !victim.replies?.includes(record.reply);
        })
      );
    },
  },
  {
    name: "an update confirmed and not stored",
    finds: ["update-lost"],
    apply: drop("stored"),
  },
  {
    name: "an update confirmed before it was stored",
    finds: ["confirmed-before-stored"],
    apply: (history, pick) => {
      const victim = pick(history.filter((record) => record.kind === "stored"));
      return (
        victim &&
        history.map((record) => (record === victim ? { ...victim, at: victim.at + 50 } : record))
      );
    },
  },
  {
    name: "an update never confirmed although everything drained",
    finds: ["update-unconfirmed"],
    apply: (history, pick) =>
      history.some(({ kind }) => kind === "drained") ? drop("confirmed")(history, pick) : undefined,
  },
  {
    name: "an effect doubled",
    finds: ["effect-doubled"],
    apply: double("effect", (record) => record),
  },
  {
    name: "an effect without an update",
    finds: ["effect-unexpected"],
    apply: double("effect", (record) => ({ ...record, effect: "gift" }) as HistoryRecord),
  },
  {
    name: "a debit without cover",
    finds: ["balance-negative"],
    apply: double(
      "effect",
      (record) => ({ ...record, effect: "gift", amountMinor: -1_000 }) as HistoryRecord,
    ),
  },
  {
    name: "a reply doubled without reason",
    finds: ["reply-doubled"],
    apply: (history, pick) =>
      double("executed", (record) => ({ ...record, at: record.at + 1 }))(
        history.map((record) =>
          record.kind === "executed" ? { ...record, ambiguous: false } : record,
        ),
        pick,
      ),
  },
  {
    name: "a reply that is not owed",
    finds: ["reply-unexpected"],
    apply: double("executed", (record) => ({ ...record, reply: "advert" }) as HistoryRecord),
  },
  { name: "two effects exchanged", finds: ["effects-out-of-order"], apply: swap("effect") },
  {
    name: "two replies exchanged",
    finds: ["replies-out-of-order", "reply-doubled"],
    apply: swap("executed"),
  },
  {
    name: "two handlers of one chat at a time",
    finds: ["handlers-overlap"],
    apply: double("began", (record) => ({ ...record, update: "other" }) as HistoryRecord),
  },
  {
    name: "a burst in one chat",
    finds: ["chat-per-second"],
    apply: double("executed", (record) => ({ ...record, at: record.at + 999 })),
  },
  {
    name: "a burst over all chats",
    finds: ["bot-per-second"],
    apply: (history, pick) => {
      const victim = pick(history.filter((record) => record.kind === "executed"));
      if (!victim) return undefined;
      const burst = Array.from({ length: 30 }, (_, index) => ({ ...victim, chat: `9${index}` }));
      return [...history, ...burst];
    },
  },
  {
    name: "too many in a group's minute",
    finds: ["group-per-minute"],
    apply: (history, pick) => {
      const victim = pick(
        history.filter((record) => record.kind === "executed" && record.chat === "-100"),
      );
      if (!victim) return undefined;
      const more = Array.from({ length: 20 }, (_, index) => {
        return { ...victim, at: victim.at + 2_000 * (index + 1) };
      });
      return [...history, ...more];
    },
  },
  {
    name: "a send although Telegram asked to wait",
    finds: ["retry-after-ignored"],
    apply: (history, pick) => {
      const victim = pick(history.filter((record) => record.kind === "executed"));
      if (!victim) return undefined;
      const { at, chat } = victim;
      return [...history, { at: at - 1, kind: "rate-limited", chat, retryAfterMs: 1_000 }];
    },
  },
  {
    name: "work left over although everything drained",
    finds: ["update-waiting"],
    apply: (history) =>
      history.some(({ kind }) => kind === "drained")
        ? [...history, { at: 0, kind: "waiting", chat: "1", update: "0" }]
        : undefined,
  },
  {
    name: "a reply left over although everything drained",
    finds: ["reply-waiting"],
    apply: (history) =>
      history.some(({ kind }) => kind === "drained")
        ? [...history, { at: 0, kind: "waiting", chat: "1", reply: "reply 0.0" }]
        : undefined,
  },
];
