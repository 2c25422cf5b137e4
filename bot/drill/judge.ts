/**
 * Judge: decides from outside what a drill has cost, by the sandbox's journal and facts and by the
 * database after the last stop.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SandboxClient } from "../sandbox/client.ts";
import type { JournalEntry, UpdateFact } from "../sandbox/control-api.ts";
import { isAmbiguous } from "../sandbox/flood/repetitions.ts";
import { type Crowd, labelOfReply, type Shopping } from "./crowd.ts";
import { checkReplies, type SeenReply } from "./reply-history.ts";

export interface Judgement {
  /** Updates that Telegram had for the bot. */
  readonly updates: number;
  /** Updates that were never confirmed, or confirmed and forgotten. */
  readonly lost: number;
  /** Effects on data that happened more than once, or sums that do not add up. */
  readonly doubled: number;
  /** Replies that never came. */
  readonly missing: number;
  /** Replies that came again although the bot knew that they had been sent. */
  readonly duplicated: number;
  /** Replies that came again because the bot could not know: allowed, and counted. */
  readonly ambiguous: number;
  readonly disorder: number;
  /** One sentence for everything above that must not be. */
  readonly problems: readonly string[];
}

/** What is left after the bot's last stop. */
export interface Remains {
  /** Complete. */
  readonly journal: readonly JournalEntry[];
  readonly shopping: readonly Shopping[];
  /** Messages that rightly wait. */
  readonly leaves: number;
  /** When processes ended. */
  readonly endsAtMs: readonly number[];
  /** Milliseconds before an end in which no answer was read. */
  readonly deafMs: number;
}

export async function judge(
  subject: {
    readonly sandbox: SandboxClient;
    readonly crowd: Crowd;
    readonly botDirectory: string;
  },
  remains: Remains,
): Promise<Judgement> {
  const facts = await allFacts(subject.sandbox);
  const lost = facts.filter(({ end }) => end !== "confirmed").map(describeLoss);
  const replies = judgeReplies(subject.crowd.owed, remains);
  const books = checkBooks(subject.botDirectory, remains);
  return {
    updates: facts.length,
    lost: lost.length,
    doubled: books.length,
    missing: replies.missing.length,
    duplicated: replies.duplicated.length,
    ambiguous: replies.ambiguous,
    disorder: replies.disorder.length,
    problems: [...lost, ...replies.missing, ...replies.duplicated, ...replies.disorder, ...books],
  };
}

function describeLoss({ end, kind, updateId }: UpdateFact): string {
  return `update ${updateId} (${kind}) was ${end ?? "never confirmed"}`;
}

function judgeReplies(owed: Crowd["owed"], remains: Remains) {
  const sends = remains.journal.filter(
    ({ executed, method }) => executed && method === "sendMessage",
  );
  const byChat = Map.groupBy(sends, ({ chatId }) => chatId);
  const missing: string[] = [];
  const duplicated: string[] = [];
  const disorder: string[] = [];
  let ambiguous = 0;
  for (const [chatId, labels] of owed) {
    const verdict = checkReplies(
      labels,
      (byChat.get(chatId) ?? []).map((send) => toSeenReply(send, remains)),
    );
    const here = (text: string) => `chat ${chatId}: ${text}`;
    ambiguous += verdict.ambiguousDuplicates;
    missing.push(...verdict.missing.map((label) => here(`the reply "${label}" never came`)));
    for (const violation of verdict.violations) {
      const again = violation.endsWith("without need");
      (again ? duplicated : disorder).push(here(violation));
    }
  }
  return { missing, duplicated, disorder, ambiguous };
}

function toSeenReply(entry: JournalEntry, { deafMs, endsAtMs }: Remains): SeenReply {
  const { answeredAtMs } = entry;
  const unread = endsAtMs.some(
    (endedAtMs) =>
      answeredAtMs !== null && answeredAtMs >= endedAtMs - deafMs && answeredAtMs <= endedAtMs,
  );
  return {
    label: labelOfReply(entry.parameters["text"] ?? ""),
    ambiguous: unread || isAmbiguous(entry),
  };
}

async function allFacts(sandbox: SandboxClient): Promise<readonly UpdateFact[]> {
  const facts: UpdateFact[] = [];
  for (let after = 0; ; ) {
    const page = await sandbox.facts({ after, limit: 5_000 });
    facts.push(...page);
    const last = page.at(-1);
    if (!last || page.length < 5_000) return facts;
    after = last.sequence;
  }
}

/** The books after everything: one debit an order, one welcome a user, no balance below zero. */
function checkBooks(
  botDirectory: string,
  { leaves, shopping }: Pick<Remains, "leaves" | "shopping">,
): readonly string[] {
  const database = new DatabaseSync(join(botDirectory, "bot.db"), { readOnly: true });
  const count = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  const problems: string[] = [];
  const same = (what: string, is: number, shouldBe: number) => {
    if (is !== shouldBe) problems.push(`${what}: ${is} instead of ${shouldBe}`);
  };
  try {
    const accounts = count("SELECT count(*) FROM accounts");
    const orders = count("SELECT count(*) FROM orders");
    same("messages left", count("SELECT count(*) FROM messages"), leaves);
    same("welcomes", count("SELECT count(*) FROM ledger WHERE kind = 'welcome'"), accounts);
    same("purchases", count("SELECT count(*) FROM ledger WHERE kind = 'purchase'"), orders);
    const overdrawn = "SELECT user_id FROM ledger GROUP BY user_id HAVING sum(amount_minor) < 0";
    same("accounts below zero", count(`SELECT count(*) FROM (${overdrawn})`), 0);
    for (const { userId, wishes } of shopping) {
      same(
        `orders of ${userId}`,
        count(`SELECT count(*) FROM orders WHERE user_id = ${userId}`),
        wishes,
      );
    }
    return problems;
  } finally {
    database.close();
  }
}
