/**
 * Recovery: the kinds of trouble this bot knows, and what is done against each, the smallest measure
 * first.
 *
 * The supervisor, the health monitor's owner and the incident book all read this one table.
 */

export type Measure =
  /** The same again, after a back-off. */
  | "retry"
  /** A new connection, by another way when the first stays dead. */
  | "reconnect"
  /** A new instance of one component. */
  | "restart-component"
  /** Go on with less, and say so. */
  | "degrade"
  /** Work more carefully: one update at a time at first. */
  | "safe-mode"
  /** Drain, exit, and be started again. */
  | "restart-process";

export type Trouble =
  | "message-failed"
  | "connection-lost"
  | "component-stuck"
  | "component-failed"
  | "part-unhealthy"
  | "work-held"
  | "queue-full"
  | "disk-full"
  | "backup-failed"
  | "payments-differ"
  | "commits-lost"
  | "errors-spike"
  | "limit-exceeded"
  | "restart-asked-for"
  | "process-hung"
  | "process-died"
  | "process-keeps-dying";

/** A measure that did not cure is followed by the next one; the last of a row is kept up. */
export const strategies: Readonly<Record<Trouble, readonly [Measure, ...Measure[]]>> = {
  "message-failed": ["retry"],
  // A restart of the process does not mend a network.
  "connection-lost": ["reconnect"],
  "component-stuck": ["restart-component", "restart-process"],
  "component-failed": ["restart-component", "restart-process"],
  // The second only where a new process can make a difference (`restartAfterMs` of the probe).
  "part-unhealthy": ["degrade", "restart-process"],
  // What holds work back tests by itself whether it is still needed; an operator can release it.
  "work-held": ["retry"],
  "queue-full": ["degrade"],
  "disk-full": ["retry"],
  "backup-failed": ["retry"],
  // What was missing is added; the next comparison shows whether all is well.
  "payments-differ": ["retry"],
  // The intake submits its last updates again; what was done for them is gone.
  "commits-lost": ["retry"],
  "errors-spike": ["degrade"],
  "limit-exceeded": ["restart-process"],
  "restart-asked-for": ["restart-process"],
  "process-hung": ["restart-process"],
  "process-died": ["restart-process"],
  "process-keeps-dying": ["safe-mode"],
};

/**
 * The measure that is due against this trouble.
 *
 * @param failed How many measures of its row have been tried without a cure; 0 for the first.
 */
export function measureAgainst(trouble: Trouble, failed: number): Measure {
  const row = strategies[trouble];
  return row[failed] ?? (row.at(-1) as Measure);
}
