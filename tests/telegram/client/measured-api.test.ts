/** Measured API: which outcomes count for and against a connection. */
import { expect, test } from "vitest";
import {
  CallNotSentError,
  CallRefusedError,
  CallUnknownError,
  UnauthorizedError,
} from "../../../bot/core/errors.ts";
import { MeasuredApi } from "../../../bot/telegram/client/measured-api.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { ScriptedApi } from "../../support/scripted-api.ts";

test.for<[string, unknown, object, string[]]>([
  ["an answer", { id: 1 }, {}, ["answer 0"]],
  ["an answer to a long poll", [], { timeout: 50 }, ["answer undefined"]],
  ["a refusal", new CallRefusedError("m", 400, "bad"), {}, ["answer 0"]],
  ["a refused token", new UnauthorizedError("m"), {}, ["answer 0"]],
  ["no connection", new CallNotSentError("m"), {}, ["failure TELEGRAM_NOT_SENT"]],
  ["no answer", new CallUnknownError("m"), {}, ["failure TELEGRAM_UNKNOWN_OUTCOME"]],
  ["a defect", new TypeError("m"), {}, []],
])("%s", async ([, outcome, payload, expected]) => {
  const seen: string[] = [];
  const api = new ScriptedApi();
  api.script(outcome);
  const measured = new MeasuredApi({
    api,
    clock: new ManualClock(),
    onAnswer: (durationMs) => seen.push(`answer ${durationMs}`),
    onFailure: ({ code }) => seen.push(`failure ${code}`),
  });
  await measured.call("m", payload as never).catch(() => {});
  expect(seen).toEqual(expected);
  api.script(new CallUnknownError("called off"));
  await measured.call("m", {}, { signal: AbortSignal.abort() }).catch(() => {});
  expect(seen).toEqual(expected);
});
