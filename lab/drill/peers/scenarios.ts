/** Scenarios: the faults by which this bot and its peers are compared. */

import type { SandboxClient } from "../../../sandbox/client.ts";
import { isAmbiguous } from "../../../sandbox/flood/repetitions.ts";
import { eventually, nowMs, pause } from "../bot-process.ts";
import type { FaultProxy } from "../fault-proxy.ts";

/** One bot, alone with a sandbox and a network to it. */
export interface Contest {
  readonly sandbox: SandboxClient;
  readonly network: FaultProxy;
  /** Whether the process is running. */
  readonly running: boolean;
  start(): void;
  kill(): Promise<unknown>;
  stop(): Promise<unknown>;
}

export interface Outcome {
  /** A few words for the table. */
  readonly text: string;
  /** Nothing was lost or wrongly doubled, no chat waited for another, and the process survived. */
  readonly good: boolean;
}

export interface PeerScenario {
  readonly title: string;
  play(contest: Contest): Promise<Outcome>;
}

const firstUserId = 1_000;
const poison = (what: string) => `/poison ${what}`;

/** Writes one text from each of as many people. */
async function write({ sandbox }: Contest, texts: readonly string[]): Promise<void> {
  const messages = texts.map((text, index) => ({ userId: firstUserId + index, text }));
  await sandbox.feed({ messages });
}

/** Replies by person, without those that repeat an ambiguous send. */
async function countReplies({ sandbox }: Contest, people: number): Promise<readonly number[]> {
  const sends = await sandbox.journalAll({ method: "sendMessage" });
  return Array.from({ length: people }, (_, index) => {
    const chatId = firstUserId + index;
    const own = sends.filter((send) => send.executed && send.chatId === chatId);
    return own.length - own.slice(0, -1).filter(isAmbiguous).length;
  });
}

/** An update is lost when it has no reply and Telegram has forgotten it. */
async function lostAndTwice(contest: Contest, people: number): Promise<Outcome> {
  const replies = await countReplies(contest, people);
  const { pending } = await contest.sandbox.queue();
  const unanswered = replies.filter((count) => count === 0).length;
  const lost = Math.max(0, unanswered - pending);
  const twice = replies.filter((count) => count > 1).length;
  const kept = pending > 0 ? `, ${pending} kept` : "";
  const exit = contest.running ? "" : "exits: ";
  return {
    text: `${exit}${lost} lost, ${twice} twice${kept}`,
    good: lost + twice + pending === 0 && contest.running,
  };
}

/** Whether the bot replies by itself, and after how long. An exit ends the wait. */
async function answersWithin(contest: Contest, userId: number, limitMs: number): Promise<Outcome> {
  const fromMs = nowMs();
  await contest.sandbox.write({ userId, text: "/help" });
  while (nowMs() - fromMs < limitMs) {
    if (!contest.running) return { text: "exits", good: false };
    const sends = await contest.sandbox.journalAll({ method: "sendMessage", chatId: userId });
    if (sends.some(({ executed }) => executed)) {
      const tookS = (nowMs() - fromMs) / 1000;
      return { text: `answers after ${tookS.toFixed(1)} s`, good: true };
    }
    await pause(50);
  }
  return { text: `not within ${limitMs / 1000} s`, good: false };
}

const quietMs = 3_000;
/** After this time a written answer counts as read, by the judge's rule. */
const unreadMs = 1_200;

/** Waits until nothing has been sent for a while, at most `limitMs`. */
async function quiet({ sandbox }: Contest, limitMs = 25_000): Promise<void> {
  const untilMs = nowMs() + limitMs;
  let sends = -1;
  while (nowMs() < untilMs) {
    const now = (await sandbox.journalAll({ method: "sendMessage" })).length;
    if (now === sends) return;
    sends = now;
    await pause(quietMs);
  }
}

async function oneFault(contest: Contest, status: number): Promise<Outcome> {
  const fault =
    status === 409
      ? ({ kind: "conflict" } as const)
      : ({ kind: "error", status, description: "drill" } as const);
  const { id } = await contest.sandbox.addFault({ match: "getUpdates", count: 1, fault });
  // The message ends a waiting poll, so that the next one meets the fault.
  await contest.sandbox.write({ userId: 1, text: "/help" });
  await eventually(
    "it strikes",
    async () => {
      const rule = (await contest.sandbox.faults()).find((one) => one.id === id);
      return !contest.running || !rule || rule.struck > 0;
    },
    15_000,
  ).catch(() => false);
  await pause(500);
  return answersWithin(contest, 2, 15_000);
}

export const scenarios: readonly PeerScenario[] = [
  {
    title: "kill -9 in the middle of 20 updates, restart",
    play: async (contest) => {
      // Half is answered long before the kill, so that those replies are certain; the rest is not.
      const texts = Array.from({ length: 20 }, (_, n) => poison(n < 10 ? "wait 50" : "wait 2000"));
      await write(contest, texts);
      await eventually("half are answered", async () => {
        const replies = await countReplies(contest, 20);
        return replies.filter((count) => count > 0).length >= 10;
      });
      await pause(unreadMs);
      await contest.kill();
      contest.start();
      await quiet(contest);
      return lostAndTwice(contest, 20);
    },
  },
  {
    title: "one handler of ten throws",
    play: async (contest) => {
      const texts = Array.from({ length: 10 }, (_, index) =>
        index === 2 ? poison("throw") : "/help",
      );
      await write(contest, texts);
      await quiet(contest);
      return lostAndTwice(contest, 10);
    },
  },
  {
    title: "SIGTERM during a handler of 2 s, 4 updates, restart",
    play: async (contest) => {
      await write(contest, ["/help", poison("wait 2000"), "/help", "/help"]);
      await pause(1_000);
      await contest.stop();
      contest.start();
      await quiet(contest);
      return lostAndTwice(contest, 4);
    },
  },
  { title: "one 409", play: (contest) => oneFault(contest, 409) },
  { title: "one 401", play: (contest) => oneFault(contest, 401) },
  { title: "one 400 on polling", play: (contest) => oneFault(contest, 400) },
  {
    title: "502 on polling for 5 s",
    play: async (contest) => {
      const fault = { kind: "html", status: 502 } as const;
      const { id } = await contest.sandbox.addFault({ match: "getUpdates", fault });
      await contest.sandbox.write({ userId: 1, text: "/help" });
      await pause(5_000);
      await contest.sandbox.removeFault({ id });
      return answersWithin(contest, 2, 30_000);
    },
  },
  {
    title: "429 on a send, retry_after 1",
    play: async (contest) => {
      const fault = { kind: "error", status: 429, retryAfterS: 1 } as const;
      await contest.sandbox.addFault({ match: "sendMessage", count: 1, fault });
      await write(contest, ["/help"]);
      await quiet(contest);
      return lostAndTwice(contest, 1);
    },
  },
  {
    title: "network down at the start, for 5 s",
    play: async (contest) => {
      await contest.kill();
      await contest.network.stop();
      contest.start();
      await pause(5_000);
      await contest.network.start();
      return answersWithin(contest, 2, 30_000);
    },
  },
  {
    title: "polls accepted and never answered",
    play: async (contest) => {
      const fault = { kind: "hang" } as const;
      await contest.sandbox.addFault({ match: "getUpdates", count: 1, fault });
      await contest.sandbox.write({ userId: 1, text: "/help" });
      await pause(500);
      return answersWithin(contest, 2, 60_000);
    },
  },
  {
    title: "another chat's answer during a handler of 6 s",
    play: async (contest) => {
      await write(contest, [poison("wait 6000")]);
      await pause(500);
      const outcome = await answersWithin(contest, 2, 20_000);
      const served = (await countReplies(contest, 1))[0] === 0;
      return { ...outcome, good: outcome.good && served };
    },
  },
  {
    title: "order in one chat",
    play: async (contest) => {
      const userId = firstUserId;
      const messages = [poison("wait 1000"), "/help"].map((text) => ({ userId, text }));
      await contest.sandbox.feed({ messages });
      await quiet(contest);
      const texts = (await contest.sandbox.messages({ chatId: userId })).map(
        ({ text }) => text ?? "",
      );
      const last = texts.at(-1)?.startsWith("This is what") ?? false;
      return { text: last ? "kept" : "broken", good: last };
    },
  },
  {
    title: "the same update again",
    play: async (contest) => {
      await write(contest, ["/help"]);
      await quiet(contest);
      const [fact] = await contest.sandbox.facts({ limit: 1 });
      await contest.sandbox.redeliver({ updateId: fact?.updateId ?? 0 });
      await contest.sandbox.write({ userId: 2, text: "/help" });
      await quiet(contest);
      return lostAndTwice(contest, 1);
    },
  },
];
