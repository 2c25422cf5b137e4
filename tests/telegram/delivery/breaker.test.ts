/** Breaker: which calls get through, when it probes, and how an outage ends. */
import { expect, onTestFinished, test } from "vitest";
import { parseConfig } from "../../../bot/config/fault-tolerance-config.ts";
import {
  CallNotSentError,
  CallRefusedError,
  CallUnknownError,
  RateLimitedError,
  UnauthorizedError,
} from "../../../bot/core/errors.ts";
import type { BotEvent } from "../../../bot/core/events.ts";
import { Holds } from "../../../bot/core/holds.ts";
import { Breaker } from "../../../bot/telegram/delivery/breaker.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { hangUntilAborted, ScriptedApi } from "../../support/scripted-api.ts";

const down = new CallNotSentError("no connection");

function setup() {
  const clock = new ManualClock();
  const api = new ScriptedApi();
  const events: BotEvent[] = [];
  const breaker = new Breaker({
    api,
    clock,
    random: () => 0,
    holds: new Holds(clock),
    publish: (event) => events.push(event),
  });
  onTestFinished(() => breaker.stop());
  const fail = async (times: number, error: Error = down) => {
    for (let call = 0; call < times; call++) {
      api.script(error);
      await breaker.call("sendMessage", {}).catch(() => {});
    }
  };
  const probes = () => api.calls.filter(({ method }) => method === "getMe").length;
  return { api, breaker, clock, events, fail, probes };
}

test("three failures in a row open it; then calls fail at once and are provably not sent", async () => {
  const { api, breaker, fail } = setup();
  await fail(2);
  await breaker.call("sendMessage", {});
  await fail(2);
  expect(breaker.reachable).toBe(true);
  await fail(1);
  expect(breaker.reachable).toBe(false);
  const made = api.calls.length;
  await expect(breaker.call("sendMessage", {})).rejects.toMatchObject({
    code: "TELEGRAM_BREAKER_OPEN",
    effect: "not-sent",
  });
  expect(api.calls).toHaveLength(made);
});

test("on a quiet night a single message opens it before its attempts are used up", async () => {
  const { breaker, fail } = setup();
  const { queue } = parseConfig({});
  await fail(queue.attemptsMax - 1, new CallUnknownError("502"));
  expect(breaker.reachable).toBe(false);
});

test("refusals prove that Telegram can be reached", async () => {
  const { breaker, fail } = setup();
  for (let round = 0; round < 3; round++) {
    await fail(2, new CallUnknownError("502"));
    await fail(1, new CallRefusedError("sendMessage", 400, "bad"));
    await fail(1, new RateLimitedError("sendMessage", 1_000));
  }
  expect(breaker.reachable).toBe(true);
});

test("it probes at growing intervals and closes with the first answer", async () => {
  const { api, breaker, clock, events, fail, probes } = setup();
  api.otherwise(down);
  await fail(3);
  await clock.advance(60_000);
  const during = probes();
  expect(during).toBeGreaterThan(10);
  expect(during).toBeLessThan(60);
  api.otherwise({ id: 1 });
  await clock.advance(4_000);
  expect(breaker.reachable).toBe(true);
  expect(events.map(({ type }) => type)).toEqual(["breaker.opened", "breaker.closed"]);
  const made = probes();
  await clock.advance(86_400_000);
  expect(probes()).toBe(made);
  await breaker.stop();
  expect(clock.pending).toBe(0);
});

test("an answered poll makes it probe at once", async () => {
  const { api, breaker, clock, fail, probes } = setup();
  api.otherwise(down);
  await fail(3);
  await clock.advance(20_000);
  const before = probes();
  api.otherwise({ id: 1 });
  breaker.signOfLife();
  await clock.advance(0);
  expect(probes()).toBe(before + 1);
  expect(breaker.reachable).toBe(true);
});

test("a refused token opens it, and it closes when the token is accepted again", async () => {
  const { api, breaker, clock, fail } = setup();
  api.otherwise(new UnauthorizedError("getMe"));
  await fail(1, new UnauthorizedError("sendMessage"));
  await clock.advance(60_000);
  expect(breaker.reachable).toBe(false);
  api.otherwise({ id: 1 });
  await clock.advance(4_000);
  expect(breaker.reachable).toBe(true);
});

test("the breaker's stop ends a hanging probe, and no probe begins after it", async () => {
  const { api, breaker, clock, fail, probes } = setup();
  api.otherwise(hangUntilAborted(down));
  await fail(3);
  await clock.advance(1_000);
  expect(probes()).toBe(1);
  await breaker.stop();
  await clock.advance(60_000);
  expect(probes()).toBe(1);
  expect(clock.pending).toBe(0);
  await fail(3);
  await clock.advance(60_000);
  expect(probes()).toBe(1);
});
