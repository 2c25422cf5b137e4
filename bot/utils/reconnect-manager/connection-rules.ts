/**
 * Connection: derives the state of a named connection from the calls made over it.
 *
 *   connected --failed--> unsteady --failed again, `failuresMax` in a row--> down
 *   unsteady  --succeeded--> connected
 *   down      --attempt begins--> reconnecting
 *   reconnecting --succeeded--> connected
 *   reconnecting --failed--> down, one attempt more
 *
 * Any successful call means connected. Pure.
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

/** Returns the state after `event`; the same object when nothing changes. */
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
      // Failures of calls that were under way when it went down are not news.
      return event === "attempt-begun" ? { kind: "reconnecting", attempts: state.attempts } : state;
    case "reconnecting":
      return event === "failed" ? { kind: "down", attempts: state.attempts + 1 } : state;
  }
}
