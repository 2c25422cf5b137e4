/** Polls: what the bot sends, what people vote, and what the bot hears of it. */
import { expect, test } from "vitest";
import { type Loose, startConversation } from "../bot-client.ts";

async function pollInChat(parameters: object = {}) {
  const started = await startConversation();
  const sent = await started.call("sendPoll", {
    chat_id: 42,
    question: "Tea?",
    options: ["yes", { text: "no" }],
    is_anonymous: false,
    ...parameters,
  });
  const place = { chatId: 42, messageId: sent.body.result?.message_id as number };
  const updates = async () => (await started.call("getUpdates")).body.result as Loose[];
  return { ...started, place, sent, updates };
}

test("a vote is counted, told to the bot with its voter, and can be taken back", async () => {
  const { control, place, sent, updates } = await pollInChat();
  control.vote({ userId: 42, ...place, optionIds: [1] });
  control.vote({ userId: 42, ...place, optionIds: [] });
  const [first, answer, second, back] = await updates();
  expect(first.poll.options).toMatchObject([{ voter_count: 0 }, { text: "no", voter_count: 1 }]);
  expect(answer.poll_answer).toMatchObject({
    poll_id: sent.body.result.poll.id,
    user: { id: 42 },
    option_ids: [1],
    option_persistent_ids: ["2"],
  });
  expect([second.poll.total_voter_count, back.poll_answer.option_ids]).toEqual([0, []]);
});

test("of an anonymous poll the bot hears the counts alone", async () => {
  const { control, place, updates } = await pollInChat({ is_anonymous: true });
  control.vote({ userId: 42, ...place, optionIds: [0] });
  const kinds = (await updates()).map((update) => Object.keys(update)[1]);
  expect(kinds).toEqual(["poll"]);
  expect(control.messages({ chatId: 42 })[0]?.["poll"]).toMatchObject({ total_voter_count: 1 });
});

test("a stopped poll takes no more votes, and is stopped once", async () => {
  const { call, control, place } = await pollInChat();
  control.vote({ userId: 42, ...place, optionIds: [0] });
  const target = { chat_id: 42, message_id: place.messageId };
  const { body } = await call("stopPoll", target);
  expect(body.result).toMatchObject({ is_closed: true, total_voter_count: 1 });
  expect(() => control.vote({ userId: 42, ...place, optionIds: [1] })).toThrow("closed");
  expect((await call("stopPoll", target)).body.description).toBe(
    "Bad Request: poll has already been closed",
  );
  expect((await call("stopPoll", { ...target, message_id: 99 })).body.description).toBe(
    "Bad Request: message with poll to stop not found",
  );
});

test("a quiz is answered once, and closes itself after its time", async () => {
  const quiz = { type: "quiz", correct_option_id: 0, explanation: "<b>hot</b>" };
  const timed = { explanation_parse_mode: "HTML", open_period: 60 };
  const { control, place, sent, updates } = await pollInChat({ ...quiz, ...timed });
  expect(sent.body.result.poll).toMatchObject({
    correct_option_ids: [0],
    explanation: "hot",
    allows_revoting: false,
  });
  control.vote({ userId: 42, ...place, optionIds: [0] });
  expect(() => control.vote({ userId: 42, ...place, optionIds: [1] })).toThrow("changed");
  control.advanceClock({ ms: 61_000 });
  expect((await updates()).at(-1)?.poll).toMatchObject({ is_closed: true });
});

test.for([
  [{ question: " " }, "poll question must be non-empty"],
  [{ question: "x".repeat(301) }, "poll question length must not exceed 300"],
  [{ options: "x" }, "can't parse options JSON object"],
  [{ options: [1] }, "expected an option to be of type String"],
  [{ options: Array.from({ length: 13 }, String) }, "poll can't have more than 12 options"],
  [{ type: "x" }, "unsupported poll type specified"],
  [{ type: "quiz" }, "wrong correct option ID specified"],
] as const)("refused: %j", async ([parameters, text]) => {
  const { sent } = await pollInChat(parameters);
  expect(sent.body.description).toBe(`Bad Request: ${text}`);
});
