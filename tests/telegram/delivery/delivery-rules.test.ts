/** Delivery: the decision after each outcome of a call, as one table. */
import { expect, test } from "vitest";
import {
  AlreadyDoneError,
  BreakerOpenError,
  CallNotSentError,
  CallRefusedError,
  CallUnknownError,
  ChatGoneError,
  ChatMigratedError,
  FormRefusedError,
  QueryTooOldError,
  RateLimitedError,
  type TelegramError,
  UnauthorizedError,
} from "../../../bot/core/errors.ts";
import {
  type DeliveryDecision,
  decideDelivery,
  saysTelegramIsDown,
  toCallEnd,
} from "../../../bot/telegram/delivery/delivery-rules.ts";
import type { CallEnd } from "../../../bot/telegram/delivery/flood-rules.ts";

test.each<[TelegramError, DeliveryDecision, CallEnd, "down" | "up"]>([
  [
    new RateLimitedError("m", 3_000),
    { kind: "rate-limited", retryAfterMs: 3_000 },
    "answered",
    "up",
  ],
  [new ChatMigratedError("m", -1007), { kind: "readdress", chatId: -1007 }, "answered", "up"],
  [new ChatGoneError("m", "blocked"), { kind: "chat-gone", reason: "blocked" }, "answered", "up"],
  [new AlreadyDoneError("m"), { kind: "done" }, "answered", "up"],
  [new QueryTooOldError("m"), { kind: "done" }, "answered", "up"],
  [new UnauthorizedError("m"), { kind: "not-sent" }, "answered", "up"],
  [new CallRefusedError("m", 400, "bad"), { kind: "refused" }, "answered", "up"],
  [new FormRefusedError("m"), { kind: "refused" }, "answered", "up"],
  [new CallNotSentError("m"), { kind: "not-sent" }, "not-sent", "down"],
  [new BreakerOpenError("m"), { kind: "not-sent" }, "not-sent", "down"],
  [new CallUnknownError("m"), { kind: "ambiguous", policy: "retry" }, "unknown", "down"],
])("%s", (error, decision, end, telegram) => {
  expect(decideDelivery(error, "retry", { text: "plain" })).toEqual(decision);
  expect(toCallEnd(error)).toBe(end);
  expect(saysTelegramIsDown(error)).toBe(telegram === "down");
});

test("the message's own policy decides about an ambiguous send", () => {
  const dropped = decideDelivery(new CallUnknownError("m"), "drop", {});
  expect(dropped).toEqual({ kind: "ambiguous", policy: "drop" });
});

test("a call whose form is refused is simplified while it has a form", () => {
  const error = new FormRefusedError("m");
  const decision = decideDelivery(error, "retry", { text: "<b>a", parse_mode: "HTML" });
  expect(decision).toEqual({ kind: "simplify", fields: { text: "a" } });
});

test("the outcome of a call that ended with a defect is unknown", () => {
  expect(toCallEnd(new TypeError("x"))).toBe("unknown");
});
