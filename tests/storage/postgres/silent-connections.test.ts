import { expect, onTestFinished, test } from "vitest";
import type { Connection } from "../../../bot/storage/postgres/connection.ts";
import { SilentConnections } from "../../../bot/storage/postgres/silent-connections.ts";
import { ManualClock } from "../../support/manual-clock.ts";

interface Situation {
  /** The sessions that the server works for; undefined: it cannot be asked. */
  readonly active?: readonly number[] | undefined;
}

/** A connection that waits for the answer to its statement. */
function setup({ active }: Situation) {
  const clock = new ManualClock();
  const given: string[] = [];
  const connection = { over: false, pid: 7, unanswered: 0 as number | undefined };
  const probe = {
    all: async () => (active ?? []).map((pid) => ({ pid })),
    end: async () => {},
    destroy: () => {},
  };
  const silent = new SilentConnections({
    clock,
    silentMs: 5_000,
    connect: async () => {
      if (!active) throw new Error("no connection");
      return probe as unknown as Connection;
    },
  });
  silent.watch({
    get over() {
      return connection.over;
    },
    pid: 7,
    get unanswered() {
      return connection.unanswered;
    },
    giveUp: (reason: string) => {
      given.push(reason);
      connection.over = true;
    },
  } as unknown as Connection);
  silent.start();
  onTestFinished(() => silent.stop());
  return { clock, connection, given };
}

test("a connection is given up when the server no longer works on its statement", async () => {
  const { clock, given } = setup({ active: [1, 2] });
  await clock.advance(4_000);
  expect(given).toEqual([]);
  await clock.advance(4_000);
  expect(given).toEqual([expect.stringMatching(/answer is missing/)]);
});

test("a statement that the server works on is waited for, such as a commit without its standby", async () => {
  const { clock, given } = setup({ active: [7] });
  await clock.advance(60_000);
  expect(given).toEqual([]);
});

test("while the server cannot be asked, nothing is given up", async () => {
  const { clock, given } = setup({});
  await clock.advance(60_000);
  expect(given).toEqual([]);
});

test("a connection that is answered is not silent, however long it is used", async () => {
  const { clock, connection, given } = setup({ active: [] });
  for (let statement = 0; statement < 30; statement++) {
    connection.unanswered = statement;
    await clock.advance(1_000);
  }
  expect(given).toEqual([]);
});
