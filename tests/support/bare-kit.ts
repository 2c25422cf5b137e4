/** Bare kit: what a module is given where nothing of it is used. */
import type { Kit } from "../../bot/kit/module.ts";

const unused = (): never => {
  throw new Error("this bot does not use it");
};

export const bareKit: Kit<Readonly<Record<string, unknown>>> = {
  settings: {},
  adminIds: [],
  messagesPerSecond: 30,
  publish: () => {},
  judgeRequest: () => "fine",
  session: unused,
  read: unused,
  operations: {
    deadLetters: unused,
    deadLetter: unused,
    requeue: unused,
    holds: unused,
    incidents: unused,
    pausedPools: unused,
    setPaused: unused,
  },
  outbox: { send: unused, call: unused, cancel: unused, find: unused },
  schedule: unused,
  later: unused,
  miniApp: { url: undefined, ask: unused, act: unused },
  panel: unused,
};
