/** /support and /language: what people say reaches the shop, in which language it answers, and what is kept. */
import { expect, test } from "vitest";
import { adminTexts } from "../../../bot/shop/admin/admin-texts.ts";
import { texts } from "../../../bot/shop/commands/texts.ts";
import {
  ada,
  type Call,
  dataOf,
  li,
  type Person,
  pressed,
  said,
  setup as setupBot,
} from "../commands/bot-under-test.ts";

const boss: Person = { id: 1, first_name: "Boss", language_code: "en" };
const other: Person = { id: 2, first_name: "Chef", language_code: "en" };
const en = texts("en");
const zh = texts("zh");
const admin = adminTexts("en");

function setup() {
  const bot = setupBot({ adminIds: [boss.id, other.id] });
  /** An administrator's reply to what the bot has sent. */
  const reply = (from: Person, call: Call | undefined, text: string, author = 1) => {
    const update = said(from, text);
    const replied = { message_id: 9, text: call?.payload.text, from: { id: author, is_bot: true } };
    return bot.handle({ ...update, message: { ...update.message, reply_to_message: replied } });
  };
  return { ...bot, reply };
}

const textOf = (call: Call | undefined): string => call?.payload.text ?? "";
const to = (calls: readonly Call[], { id }: Person) =>
  calls.filter(({ method, payload }) => method === "sendMessage" && payload.chat_id === id);

test("a ticket reaches every administrator, its answer its person, and further words the ticket", async () => {
  const { handle, reply } = setup();
  expect(textOf((await handle(said(li, "/support")))[0])).toBe(zh.askSupport);
  const opened = await handle(said(li, "it is cold"));
  expect(to(opened, li).map(textOf)).toEqual([zh.ticketOpened("1")]);
  expect([boss, other].map((person) => to(opened, person).length)).toEqual([1, 1]);
  const [ticket] = to(opened, boss);
  expect(textOf(ticket)).toContain("it is cold");

  const answered = await reply(boss, ticket, "we warm it up");
  expect(to(answered, li).map(textOf)).toEqual([zh.ticketAnswer("1", "we warm it up")]);
  expect(to(answered, other).map(textOf)).toEqual([admin.ticketAnswered("1", "we warm it up")]);

  const more = await handle(said(li, "thanks"));
  expect(textOf(to(more, other)[0])).toContain("thanks");
  expect(to(more, li).map(textOf)).toEqual([zh.ticketWords("1")]);
});

test("/support with words opens the ticket at once, and a second one adds to it", async () => {
  const { handle } = setup();
  await handle(said(ada, "/support first"));
  const calls = await handle(said(ada, "/support second"));
  expect(to(calls, ada).map(textOf)).toEqual([en.ticketWords("1")]);
});

test("a closed ticket takes no more words, and its person is told who did it", async () => {
  const { handle } = setup();
  const [ticket] = to(await handle(said(ada, "/support hello")), boss);
  const close = pressed(boss, dataOf(ticket, admin.closeTicketButton));
  expect(to(await handle(close), ada).map(textOf)).toEqual([en.ticketClosed("1")]);
  expect(to(await handle(pressed(other, "adm-ticket:1")), ada)).toEqual([]);
  expect((await handle(said(ada, "still there?"))).map(textOf)).toEqual([en.unknownText]);
  expect(textOf(to(await handle(said(ada, "/support again")), boss)[0])).toContain("#T2");
});

test("a person closes their own ticket, and nobody else's", async () => {
  const { handle } = setup();
  const opened = await handle(said(ada, "/support hello"));
  const [mine] = to(opened, ada);
  const [toast] = await handle(pressed(li, "ticket-close:1"));
  expect(textOf(toast)).toBe(zh.staleButton);
  const closed = await handle(pressed(ada, dataOf(mine, en.closeTicket)));
  expect(to(closed, boss).map(textOf)).toEqual([admin.ticketClosed("1")]);
});

test("only a reply to the bot's own message is an answer, and only from an administrator", async () => {
  const { handle, reply } = setup();
  const [ticket] = to(await handle(said(ada, "/support hello")), boss);
  expect(to(await reply(boss, ticket, "forged", 1002), ada)).toEqual([]);
  expect(to(await reply(li, ticket, "not me"), ada)).toEqual([]);
});

test("words of people who opened no ticket stay with the bot", async () => {
  const { handle } = setup();
  expect((await handle(said(ada, "hello"))).map(textOf)).toEqual([en.unknownText]);
  expect((await setupBot().handle(said(ada, "/support hello"))).map(textOf)).toEqual([
    en.noSupport,
  ]);
});

test("/forget deletes what was said, and /export has it before", async () => {
  const { handle } = setup();
  await handle(said(ada, "/support my secret"));
  const document = async () => {
    const [file] = await handle(said(ada, "/export"));
    return Buffer.from(file?.payload.document.source.data).toString();
  };
  expect(await document()).toContain("my secret");
  const [question] = await handle(said(ada, "/forget"));
  await handle(pressed(ada, dataOf(question, en.forgetButton)));
  expect(await document()).not.toContain("my secret");
});

test("a chosen language goes before Telegram's, in every text, until it is taken back", async () => {
  const { handle } = setup();
  const [question] = await handle(said(ada, "/language"));
  const [done] = await handle(pressed(ada, dataOf(question, "中文")));
  expect(textOf(done)).toBe(zh.languageChosen);
  expect(textOf((await handle(said(ada, "hello")))[0])).toBe(zh.unknownText);
  // Also where others write to the person.
  const [ticket] = to(await handle(said(ada, "/support hello")), boss);
  const close = await handle(pressed(boss, dataOf(ticket, admin.closeTicketButton)));
  expect(to(close, ada).map(textOf)).toEqual([zh.ticketClosed("1")]);
  const [again] = await handle(pressed(ada, "language:auto"));
  expect(textOf(again)).toBe(en.languageAutomatic);
  expect(textOf((await handle(said(ada, "hello")))[0])).toBe(en.unknownText);
});
