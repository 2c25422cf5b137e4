/** Steady writer: one person who writes all the time, and what became of it. */
import { eventually, pause } from "../../lab/drill/bot-process.ts";
import { checkHistory } from "../../lab/history/checker.ts";
import { historyFromJournal, type NamedCall } from "../../lab/history/from-journal.ts";
import type { Verdict } from "../../lab/history/verdict.ts";
import type { SandboxClient } from "../../sandbox/client.ts";

/** Neighbours differ, so that a repeated reply can be told from the next one. */
const texts = ["/help", "hello"];
const nameOfReply = ({ method, parameters }: NamedCall) => {
  if (method !== "sendMessage") return undefined;
  return parameters["text"]?.startsWith("This is what I can do") ? "/help" : "hello";
};

export interface Written extends Verdict {
  /** The longest time from a message to its answer, in milliseconds. */
  readonly longestMs: number;
}

/** Writes every so many milliseconds. @returns a function that ends it and gives what the bot answered. */
export function startWriting(
  sandbox: SandboxClient,
  { everyMs, userId }: { readonly everyMs: number; readonly userId: number },
): () => Promise<Written> {
  let count = 0;
  let writing = true;
  const done = (async () => {
    while (writing) {
      await sandbox.write({ userId, text: texts[count % texts.length] as string });
      count++;
      await pause(everyMs);
    }
  })();
  // A test that fails takes the sandbox away; whoever asks for the end hears of it.
  done.catch(() => {});
  return async () => {
    writing = false;
    await done;
    await eventually("all is confirmed", async () => (await sandbox.queue()).pending === 0);
    const replies = async () => (await sandbox.journalAll()).filter(nameOfReply);
    await eventually("the last reply", async () => (await replies()).length >= count);
    const facts = await sandbox.facts({ limit: 5_000 });
    const turns = new Map(facts.map(({ updateId }, turn) => [updateId, turn]));
    const journal = await sandbox.journalAll();
    const at = Math.max(...journal.map(({ arrivedAtMs }) => arrivedAtMs));
    const expectation = (fate: { updateId: number }) => ({
      replies: [texts[(turns.get(fate.updateId) ?? 0) % texts.length] as string],
    });
    const history = historyFromJournal(journal, facts, { reply: nameOfReply, expectation });
    const answers = await replies();
    const waitedMs = facts.map(
      ({ createdAtMs }, turn) => (answers[turn]?.arrivedAtMs ?? Number.NaN) - createdAtMs,
    );
    const verdict = checkHistory([...history, { at, kind: "drained" }], { limits: null });
    return { ...verdict, longestMs: Math.round(Math.max(...waitedMs)) };
  };
}
