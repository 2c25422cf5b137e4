/** Telegram: faults of its server, played by the sandbox. */

import type { NewFaultRule } from "../../../sandbox/control-api.ts";
import { pause } from "../bot-process.ts";
import type { DrillFault } from "../fault.ts";
import type { Scene } from "../scene.ts";

const common = {
  areas: ["reconnect", "endToEnd"],
  aim: "outage",
  overlaps: true,
} as const satisfies Partial<DrillFault>;

function badAnswer(
  name: string,
  title: string,
  rule: NewFaultRule,
  more: Partial<DrillFault> = {},
): DrillFault {
  const { match, probability } = rule;
  let id = 0;
  return {
    ...common,
    name: `telegram-${name}`,
    title,
    how: `sandbox: ${rule.fault.kind} on ${match}${probability ? ` (${probability * 100} %)` : ""}`,
    detection: { by: "log", line: /intake\.failed/ },
    inject: async ({ sandbox }) => {
      ({ id } = await sandbox.addFault(rule));
    },
    end: async ({ sandbox }) => {
      await sandbox.removeFault({ id });
    },
    ...more,
  };
}

const userId = 4_000;

/** Writes in one person's chat, while all others go on. */
async function writeTo({ sandbox }: Scene, texts: number): Promise<void> {
  for (let index = 0; index < texts; index++) await sandbox.write({ userId, text: "/help" });
}

export const telegram: readonly DrillFault[] = [
  badAnswer(
    "409",
    "409: another process polls",
    { match: "getUpdates", fault: { kind: "conflict" } },
    {
      groups: ["T2"],
      lastsMs: 5_000,
      quick: true,
    },
  ),
  badAnswer("502", "502 from a proxy, with an HTML page", {
    match: "*",
    fault: { kind: "html", status: 502 },
  }),
  badAnswer("500", "500 on every call", { match: "*", fault: { kind: "error", status: 500 } }),
  badAnswer(
    "429",
    "429 on polling and sending",
    { match: "*", probability: 0.5, fault: { kind: "error", status: 429, retryAfterS: 1 } },
    { groups: ["T6"], detection: { by: "log", line: /rate-limited/ } },
  ),
  badAnswer(
    "unanswered",
    "polls are accepted and never answered",
    { match: "getUpdates", fault: { kind: "hang" } },
    {
      groups: ["T1"],
      areas: ["reconnect", "health", "endToEnd"],
      setup: { env: { INTAKE_POLL_TIMEOUT_SECONDS: "2" } },
    },
  ),
  badAnswer(
    "lost-answers",
    "sends are executed, but their answers are lost",
    { match: "sendMessage", probability: 0.3, fault: { kind: "close", execute: true } },
    // One send in four hundred loses the answers to all its five attempts.
    {
      groups: ["T8"],
      detection: { by: "log", line: /send\.cut-off/ },
      quick: true,
      givesUp: true,
    },
  ),
  badAnswer(
    "cut",
    "answers are cut off in the middle",
    { match: "*", probability: 0.5, fault: { kind: "cut", framing: "chunked" } },
    { groups: ["T8"], detection: { by: "log", line: /send\.cut-off/ }, givesUp: true },
  ),
  {
    ...common,
    name: "telegram-401",
    title: "401: the token is revoked, and given back",
    how: "sandbox: revokeToken",
    detection: { by: "log", line: /intake\.failed/ },
    inject: async ({ sandbox }) => {
      await sandbox.revokeToken({ revoked: true });
    },
    end: async ({ sandbox }) => {
      await sandbox.revokeToken({ revoked: false });
    },
  },
  {
    ...common,
    name: "telegram-429-one-chat",
    title: "one chat must wait 73,414 s",
    how: "sandbox: 429 for one chat; the process is killed meanwhile",
    groups: ["T6"],
    detection: { by: "log", line: /rate-limited/ },
    overlaps: false,
    inject: async (scene) => {
      const fault = { kind: "error", status: 429, retryAfterS: 73_414 } as const;
      await scene.sandbox.addFault({ match: "sendMessage", chatId: userId, count: 1, fault });
      await writeTo(scene, 2);
      await pause(1_500);
      await scene.bot.kill();
    },
    end: async () => {},
    leaves: 2,
    check: async ({ sandbox }) => {
      const sends = await sandbox.journalAll({ chatId: userId, method: "sendMessage" });
      return sends.length === 1 ? [] : [`the parked chat was tried ${sends.length} times`];
    },
  },
  {
    ...common,
    name: "telegram-repeats",
    title: "Telegram delivers updates again",
    how: "sandbox: redelivers every update so far",
    areas: ["queue", "endToEnd"],
    groups: ["T9"],
    detection: { by: "nothing" },
    inject: async ({ sandbox }) => {
      const facts = await sandbox.facts({ limit: 5_000 });
      for (const { updateId } of facts) await sandbox.redeliver({ updateId });
    },
  },
  {
    ...common,
    name: "chats-gone",
    givesUp: true,
    title: "people block the bot while it answers them",
    how: "sandbox: blocked, deactivated, kicked, in silence",
    areas: ["queue", "endToEnd"],
    groups: ["T15"],
    detection: { by: "log", line: /chat\.marked-unreachable/ },
    inject: async (scene) => {
      const { sandbox } = scene;
      for (const [index, access] of (["blocked", "deactivated", "deleted"] as const).entries()) {
        const id = userId + 1 + index;
        await sandbox.createUser({ id, firstName: "Ann", started: true });
        await sandbox.setAccess({ chatId: id, access, silent: true });
        await sandbox.write({ userId: id, text: "/help" }).catch(() => {
          // A user who has blocked the bot cannot write in the sandbox, so the update is put in.
        });
        const from = { id, is_bot: false, first_name: "Ann" };
        const chat = { id, type: "private", first_name: "Ann" };
        const message = { message_id: 9, from, chat, date: 1_760_000_000, text: "/help" };
        await sandbox.inject({ update: { message } });
      }
    },
    check: async ({ sandbox }) => {
      const sends = await sandbox.journalAll({ method: "sendMessage" });
      const tries = sends.filter(
        ({ chatId }) => (chatId ?? 0) > userId && (chatId ?? 0) < userId + 9,
      );
      return tries.length <= 6
        ? []
        : [`chats that had blocked the bot were tried ${tries.length} times`];
    },
  },
];
