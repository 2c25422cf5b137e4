/** Identity and command menu: when the bot asks who it is and when it registers its menus. */
import { expect, test } from "vitest";
import { CallNotSentError, UnauthorizedError } from "../../../bot/core/errors.ts";
import type { NewMessage } from "../../../bot/core/message.ts";
import { Identity } from "../../../bot/telegram/client/identity.ts";
import { registerCommandMenus } from "../../../bot/telegram/delivery/command-menu.ts";
import { lifecycleConformance } from "../../support/lifecycle-conformance.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { hangUntilAborted, ScriptedApi } from "../../support/scripted-api.ts";

class Facts {
  readonly facts = new Map<string, string>();
  getFact = async (name: string) => this.facts.get(name);
  setFact = async (name: string, value: string) => {
    this.facts.set(name, value);
  };
}

function setup(api = new ScriptedApi(() => ({ id: 42, username: "Bot" })), facts = new Facts()) {
  const clock = new ManualClock();
  const identity = new Identity({ api, clock, facts, random: () => 0.5 });
  return { api, clock, facts, identity };
}

lifecycleConformance("identity", () => {
  const { clock, identity } = setup(new ScriptedApi(hangUntilAborted(new CallNotSentError("x"))));
  return { component: identity, clock };
});

test("the bot asks who it is until Telegram answers once", async () => {
  const { api, clock, identity } = setup();
  api.script(new CallNotSentError("x"), new UnauthorizedError("getMe"), new CallNotSentError("x"));
  await identity.start();
  await clock.advance(60_000);
  expect(await identity.whoAmI()).toMatchObject({ username: "Bot" });
  expect(api.calls).toHaveLength(4);
  await identity.stop();
});

test("during an outage the identity is known from an earlier run", async () => {
  const { clock, facts, identity } = setup();
  await identity.start();
  await clock.advance(0);
  await identity.stop();
  const next = setup(new ScriptedApi(hangUntilAborted(new CallNotSentError("x"))), facts);
  await next.identity.start();
  expect(await next.identity.whoAmI()).toMatchObject({ id: 42 });
  await next.identity.stop();
});

test("command menus are registered only when they have changed", async () => {
  const facts = new Facts();
  const queued: NewMessage[] = [];
  const enqueue = async (messages: readonly NewMessage[]) => queued.push(...messages);
  const menu = (description: string) => [
    { languageCode: "", commands: [{ command: "start", description }] },
    { languageCode: "zh", commands: [{ command: "start", description: "开始" }] },
  ];
  await registerCommandMenus(menu("Begin"), facts, enqueue, 0);
  await registerCommandMenus(menu("Begin"), facts, enqueue, 0);
  expect(queued.map(({ payload }) => payload)).toEqual([
    {
      method: "setMyCommands",
      payload: { commands: [{ command: "start", description: "Begin" }] },
    },
    {
      method: "setMyCommands",
      payload: { commands: [{ command: "start", description: "开始" }], language_code: "zh" },
    },
  ]);
  await registerCommandMenus(menu("Start"), facts, enqueue, 0);
  expect(queued).toHaveLength(4);
});

test("after a death before the menus were queued, the next start registers them", async () => {
  const facts = new Facts();
  const dies = () => Promise.reject(new Error("died"));
  const menus = [{ languageCode: "", commands: [] }];
  await expect(registerCommandMenus(menus, facts, dies, 0)).rejects.toThrow();
  const queued: NewMessage[] = [];
  await registerCommandMenus(menus, facts, async (messages) => queued.push(...messages), 0);
  expect(queued).toHaveLength(1);
});
