/** Planted bugs: every real part is broken on purpose, and the simulation must notice. */
import { expect, test } from "vitest";
import type { Clock } from "../../../bot/core/clock.ts";
import type { NewMessage } from "../../../bot/core/message.ts";
import type { MessageHandler } from "../../../bot/core/message-handler.ts";
import type { AttemptOutcome, Store } from "../../../bot/core/store.ts";
import type { Plants } from "../../../lab/simulation/simulated-process.ts";
import { type Complaint, simulate } from "../../../lab/simulation/simulation.ts";

/** Number of seeds within which a bug must be found. */
const seedsMax = 150;

/** A store with some methods replaced. */
const changed =
  (change: (real: Store, clock: Clock) => Partial<Store>) => (real: Store, clock: Clock) => {
    const overrides: Partial<Store> = change(real, clock);
    return new Proxy(real, {
      get(target, name) {
        const own = overrides[name as keyof Store] ?? target[name as keyof Store];
        return typeof own === "function" ? own.bind(target) : own;
      },
    });
  };

/** A delivery with another behaviour. */
const delivering =
  (
    handle: (
      real: MessageHandler,
      attempt: Parameters<MessageHandler["handle"]>[0],
    ) => ReturnType<MessageHandler["handle"]>,
  ) =>
  (real: MessageHandler): MessageHandler => ({
    onRetry: real.onRetry,
    handle: (attempt) => handle(real, attempt),
  });

/** Changes messages when they are queued. */
const queuing = (alter: (messages: readonly NewMessage[]) => readonly NewMessage[]) =>
  changed((real) => ({
    enqueue: (messages) => real.enqueue(alter(messages)),
    finish: (attempt, outcome, sent) => real.finish(attempt, withEnqueue(outcome, alter), sent),
    step: (attempt, name, work, enqueue) => real.step(attempt, name, work, () => alter(enqueue())),
  }));

function withEnqueue(
  outcome: AttemptOutcome,
  alter: (messages: readonly NewMessage[]) => readonly NewMessage[],
): AttemptOutcome {
  return "enqueue" in outcome ? { ...outcome, enqueue: alter(outcome.enqueue) } : outcome;
}

let lanes = 0;
let steps = 0;

const bugs: readonly (readonly [string, Plants, readonly Complaint["what"][]])[] = [
  [
    "a store that answers before it has committed",
    {
      store: changed((real, clock) => ({
        enqueue: async (messages) => {
          const soon = clock.sleep(50, new AbortController().signal);
          soon.then(() => real.enqueue(messages)).catch(() => {});
          return messages.map(() => ({ kind: "queued", messageId: 0 }) as const);
        },
      })),
    },
    ["confirmed-before-stored", "update-lost"],
  ],
  [
    "a database that does not wait for its syncs",
    {
      database: (real) =>
        Object.setPrototypeOf({ sync: async () => void real.sync().catch(() => {}) }, real),
    },
    ["update-lost", "reply-doubled"],
  ],
  [
    "a queue that ignores lanes",
    {
      store: queuing((messages) =>
        messages.map((message) => ({ ...message, lane: `${message.lane}~${lanes++}` })),
      ),
    },
    ["handlers-overlap", "replies-out-of-order", "effects-out-of-order"],
  ],
  [
    "a queue that forgets which updates it has seen",
    { store: queuing((messages) => messages.map(({ dedupeKeys: _, ...rest }) => rest)) },
    ["update-lost", "effect-doubled", "reply-doubled"],
  ],
  [
    "a durable step that runs again at every attempt",
    {
      store: changed((real) => ({
        step: (attempt, name, work, enqueue) =>
          real.step(attempt, `${name}.${steps++}`, work, enqueue),
      })),
    },
    ["effect-doubled"],
  ],
  [
    "a schedule that forgets the next instant",
    {
      store: changed((real) => ({
        step: (attempt, name, work, enqueue) =>
          real.step(attempt, name, work, name === "kit:due" ? () => [] : enqueue),
      })),
    },
    ["task-missed"],
  ],
  [
    "a later handler that is forgotten when its update is done",
    { store: queuing((messages) => messages.filter(({ type }) => type !== "task")) },
    ["task-missed"],
  ],
  [
    "replies committed after the data instead of with it",
    {
      store: changed((real) => ({
        finish: async (attempt, outcome, sent) => {
          if (outcome.kind !== "done") return real.finish(attempt, outcome, sent);
          await real.finish(attempt, { ...outcome, enqueue: [] }, sent);
          return real.enqueue(outcome.enqueue);
        },
      })),
    },
    ["reply-missing"],
  ],
  [
    "a recovery that counts claimed sends as done",
    {
      store: changed((real) => ({
        recover: (decide) =>
          real.recover((message) => {
            const recovery = decide(message);
            if (message.pool === "handling") return recovery;
            return { ...recovery, outcome: { kind: "done", enqueue: [] } };
          }),
      })),
    },
    ["reply-missing"],
  ],
  [
    "a recovery that counts claimed updates as done",
    {
      store: changed((real) => ({
        recover: (decide) =>
          real.recover((message) => {
            if (message.pool !== "handling") return decide(message);
            return { outcome: { kind: "done", enqueue: [] } };
          }),
      })),
    },
    ["update-lost", "effect-missing", "reply-missing"],
  ],
  [
    "a delivery that repeats a send that was answered",
    {
      delivery: delivering(async (real, attempt) => {
        const result = await real.handle(attempt);
        if (result.kind === "done" && attempt.message.id % 20 === 0) await real.handle(attempt);
        return result;
      }),
    },
    ["reply-doubled"],
  ],
  [
    "a delivery that gives up silently what may have been sent",
    {
      delivery: delivering((real, attempt) =>
        real.handle(attempt).catch(() => ({ kind: "done" }) as const),
      ),
    },
    ["reply-missing"],
  ],
  [
    "a delivery that does not wait as long as Telegram asks",
    {
      delivery: delivering(async (real, attempt) => {
        const result = await real.handle(attempt);
        return result.kind === "postponed" && result.parkLane
          ? { ...result, delayMs: 0, parkLane: false }
          : result;
      }),
    },
    ["retry-after-ignored"],
  ],
  [
    "no flood control",
    { config: (config) => ({ ...config, flood: { ...config.flood, enabled: false } }) },
    ["chat-per-second"],
  ],
  [
    "flood windows forgotten at a restart",
    { store: changed(() => ({ sentSince: async () => [] })) },
    ["chat-per-second", "group-per-minute"],
  ],
  [
    "a chat that is parked ten times as long as Telegram asks",
    {
      delivery: delivering(async (real, attempt) => {
        const result = await real.handle(attempt);
        return result.kind === "postponed" && result.parkLane
          ? { ...result, delayMs: 10 * result.delayMs }
          : result;
      }),
    },
    ["answered-late"],
  ],
  [
    "a send that waits five minutes after Telegram could not be reached",
    {
      delivery: delivering(async (real, attempt) => {
        const result = await real.handle(attempt);
        return result.kind === "postponed" && !result.parkLane
          ? { ...result, delayMs: 300_000 }
          : result;
      }),
    },
    ["answered-late"],
  ],
  [
    "a start after a death that handles nothing for two minutes",
    {
      store: changed((real, clock) => {
        const fromMs = clock.monotonicMs() + 120_000;
        let deaths = 0;
        return {
          recover: async (decide) => {
            const recovered = await real.recover(decide);
            deaths = recovered.length;
            return recovered;
          },
          claim: async (request) =>
            deaths > 0 && request.pool === "handling" && clock.monotonicMs() < fromMs
              ? []
              : real.claim(request),
        };
      }),
    },
    ["answered-late"],
  ],
];

test.each(bugs)("%s is found", { timeout: 120_000 }, async (_, plants, expected) => {
  for (let seed = 1; seed <= seedsMax; seed++) {
    const { findings } = await simulate({ seed, mode: "both", plants });
    if (findings.some(({ what }) => expected.includes(what))) return;
  }
  expect.unreachable(`not found within ${seedsMax} seeds`);
});
