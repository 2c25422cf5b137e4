/**
 * Connection: the states of a named connection, as calls over it show them.
 *
 *   connected --failed--> unsteady --failed again, `failuresMax` in a row--> down
 *   unsteady  --succeeded--> connected
 *   down      --attempt begins--> reconnecting
 *   reconnecting --succeeded--> connected
 *   reconnecting --failed--> down, one attempt more
 *
 * A success always means connected, whoever made the call. Pure.
 */

export type ConnectionState =
  | { readonly kind: "connected" }
  | { readonly kind: "unsteady"; readonly failures: number }
  /** @property attempts Failed attempts to reconnect so far. */
  | { readonly kind: "down"; readonly attempts: number }
  | { readonly kind: "reconnecting"; readonly attempts: number };

export type ConnectionEvent = "succeeded" | "failed" | "attempt-begun";

export const connectedState: ConnectionState = { kind: "connected" };

/** Failures in a row after which a connection is down. */
export const failuresMax = 3;

/** The state after `event`; the same object when nothing changes. */
export function nextConnectionState(
  state: ConnectionState,
  event: ConnectionEvent,
): ConnectionState {
  if (event === "succeeded") return state.kind === "connected" ? state : connectedState;
  switch (state.kind) {
    case "connected":
      return event === "failed" ? { kind: "unsteady", failures: 1 } : state;
    case "unsteady":
      if (event !== "failed") return state;
      return state.failures + 1 < failuresMax
        ? { kind: "unsteady", failures: state.failures + 1 }
        : { kind: "down", attempts: 0 };
    case "down":
      // Calls that were under way when it went down say nothing new.
      return event === "attempt-begun" ? { kind: "reconnecting", attempts: state.attempts } : state;
    case "reconnecting":
      return event === "failed" ? { kind: "down", attempts: state.attempts + 1 } : state;
  }
}
