/** Connection: tests every state with every event, as one table. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ConnectionEvent,
  type ConnectionState,
  connectedState,
  nextConnectionState,
} from "../../../bot/utils/reconnect-manager/connection-rules.ts";

const unsteady: ConnectionState = { kind: "unsteady", failures: 1 };
const nearly: ConnectionState = { kind: "unsteady", failures: 2 };
const down: ConnectionState = { kind: "down", attempts: 4 };
const trying: ConnectionState = { kind: "reconnecting", attempts: 4 };

test.for<[ConnectionState, ConnectionEvent, ConnectionState]>([
  [connectedState, "succeeded", connectedState],
  [connectedState, "failed", unsteady],
  [connectedState, "attempt-begun", connectedState],
  [unsteady, "succeeded", connectedState],
  [unsteady, "failed", nearly],
  [unsteady, "attempt-begun", unsteady],
  [nearly, "failed", { kind: "down", attempts: 0 }],
  [down, "succeeded", connectedState],
  [down, "failed", down],
  [down, "attempt-begun", trying],
  [trying, "succeeded", connectedState],
  [trying, "failed", { kind: "down", attempts: 5 }],
  [trying, "attempt-begun", trying],
])("%j, %s", ([state, event, expected]) => {
  expect(nextConnectionState(state, event)).toEqual(expected);
});

test("after any history, one success means connected", () => {
  const events = fc.array(fc.constantFrom<ConnectionEvent>("succeeded", "failed", "attempt-begun"));
  fc.assert(
    fc.property(events, (history) => {
      const state = history.reduce(nextConnectionState, connectedState);
      expect(nextConnectionState(state, "succeeded")).toEqual(connectedState);
    }),
  );
});
