/** Answer fields: tests that no value from outside decides anything unchecked. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { RateLimitedError, TelegramError } from "../../../bot/core/errors.ts";
import {
  isBotInfo,
  readRetryAfterMs,
  readWebhookInfo,
} from "../../../bot/telegram/client/answer-fields.ts";
import { readAnswer } from "../../../bot/telegram/client/read-answer.ts";

const dayMs = 86_400_000;

test.for<[unknown, number]>([
  [7, 7_000],
  ["7", 7_000],
  [0.2, 1_000],
  [2.5, 2_500],
  [73_414, 73_414_000],
  [1e9, dayMs],
  [Number.POSITIVE_INFINITY, dayMs],
  ["soon", 1_000],
  ["", 1_000],
  [null, 1_000],
  [undefined, 1_000],
  [-5, 1_000],
  [0, 1_000],
  [Number.NaN, 1_000],
  [[7], 1_000],
  [{}, 1_000],
  [true, 1_000],
])("a retry_after of %j waits %i ms", ([value, expected]) => {
  expect(readRetryAfterMs(value)).toBe(expected);
});

test("a 429 with any retry_after is one that can be waited for", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (retryAfter) => {
      const text = JSON.stringify({
        ok: false,
        error_code: 429,
        description: "Too Many Requests",
        parameters: { retry_after: retryAfter },
      });
      const error = errorOf(() => readAnswer("sendMessage", 429, {}, text));
      expect(error).toBeInstanceOf(RateLimitedError);
      const { retryAfterMs } = error as RateLimitedError;
      expect(retryAfterMs).toBeGreaterThanOrEqual(1_000);
      expect(retryAfterMs).toBeLessThanOrEqual(dayMs);
    }),
  );
});

test("whatever a server answers is a result or an error of Telegram's", () => {
  const answer = fc.record(
    {
      ok: fc.oneof(fc.boolean(), fc.jsonValue()),
      error_code: fc.oneof(fc.integer({ min: 0, max: 700 }), fc.jsonValue()),
      description: fc.jsonValue(),
      parameters: fc.oneof(
        fc.jsonValue(),
        fc.record({ retry_after: fc.jsonValue(), migrate_to_chat_id: fc.jsonValue() }),
      ),
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    answer.map((value) => JSON.stringify(value)),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), body, (status, text) => {
      const error = errorOf(() => readAnswer("sendMessage", status, {}, text));
      if (error !== undefined) expect(error).toBeInstanceOf(TelegramError);
    }),
  );
});

test.for<[string, unknown, boolean]>([
  ["a bot", { id: 42, is_bot: true, first_name: "B", username: "Bot" }, true],
  ["an id as text", { id: "42", username: "Bot" }, false],
  ["no name", { id: 42 }, false],
  ["nothing", null, false],
  ["a list", [], false],
])("%s as the answer of getMe", ([, value, expected]) => {
  expect(isBotInfo(value)).toBe(expected);
});

test("webhook information of any form can be judged", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const { last_error_date: date, pending_update_count: pending, url } = readWebhookInfo(value);
      expect([typeof url, typeof pending, typeof date]).toEqual(["string", "number", "number"]);
    }),
  );
  const sound = { url: "https://a.example", pending_update_count: 3, last_error_date: 5 };
  expect(readWebhookInfo({ ...sound, last_error_message: 7 })).toEqual(sound);
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
