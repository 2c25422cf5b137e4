/**
 * Session rules: for how long a process may take it that its session lives.
 *
 * PostgreSQL ends a session that it has not heard from for `sessionMs`, and then others take over. The
 * server counts from a later instant than the process, so a process that stops a quarter earlier has
 * stopped before its lock can go. No clock is compared with another.
 */

/** Part of `sessionMs` after which a process without proof begins nothing more. */
const fencedAfter = 0.75;

/**
 * Whether the process may begin a send, a poll, a step, or confirm an offset.
 *
 * @param provenAtMs When the last turn that is known to be committed was sent. That a read succeeds
 *   proves nothing: on a former primary that was cut off it goes on succeeding.
 */
export function mayBegin(nowMs: number, provenAtMs: number, sessionMs: number): boolean {
  return nowMs - provenAtMs < sessionMs * fencedAfter;
}

/** How often an idle process proves that it lives. */
export function beatEveryMs(sessionMs: number): number {
  return Math.min(1_000, sessionMs / 5);
}

/** The settings of the main session; times in milliseconds. PostgreSQL 14 or later. */
export function mainSettings(sessionMs: number): Readonly<Record<string, number>> {
  return { ...stepSettings(sessionMs), idle_session_timeout: sessionMs };
}

/** The settings of the other sessions, which may be idle. */
export function stepSettings(sessionMs: number): Readonly<Record<string, number>> {
  return {
    // The server notices a client that stands still, and a link that is cut.
    idle_in_transaction_session_timeout: sessionMs,
    tcp_user_timeout: sessionMs,
    // Without it, a session that died while a statement runs keeps its locks until that ends.
    client_connection_check_interval: Math.min(1_000, sessionMs / 5),
    statement_timeout: Math.round(sessionMs * 0.6),
    lock_timeout: Math.round(sessionMs * 0.3),
  };
}
