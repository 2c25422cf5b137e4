/** Last words: the language in which a person is told that their update was given up. */
import { expect, test } from "vitest";
import type { BotApi } from "../../../bot/core/bot-api.ts";
import { createBot } from "../../../bot/index.ts";
import { chooseLanguage } from "../../../bot/shop/people/standing.ts";
import { toUpdateMessage } from "../../../bot/telegram/intake/update-message.ts";
import { ada, said } from "../../shop/commands/bot-under-test.ts";
import { shopWith } from "../../shop/shop-setup.ts";
import { bootDurableBot } from "../../support/durable-bot.ts";
import { QueueMachine } from "../../support/queue-under-test.ts";

test("they are in the language that a person has chosen, or else in the one that Telegram reports", async () => {
  const machine = new QueueMachine();
  const languages: unknown[] = [];
  const api: BotApi = { call: async () => ({ message_id: 1 }) as never };
  const { queue, store } = await bootDurableBot(
    machine,
    (contextType) => {
      const { kit, module } = shopWith({
        read: (work) => store.transaction(work),
        judgeRequest: () => {
          throw new Error("a defect behind the gate");
        },
      });
      return createBot({ token: "42:unused", contextType, module, kit });
    },
    api,
    undefined,
    {
      attemptsMax: 1,
      lastWords: (_message, languageCode) => {
        languages.push(languageCode);
        return [];
      },
    },
  );
  await queue.start();
  await store.transaction((tx) => chooseLanguage(tx, ada.id, "zh"));

  for (const person of [ada, { ...ada, id: 7 }]) {
    await queue.insertMessageByPriority([toUpdateMessage(said(person, "/help"), "42")]);
    await machine.clock.advance(1_000);
  }
  expect(languages).toEqual(["zh", "en"]);
});
