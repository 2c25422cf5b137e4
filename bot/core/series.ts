/** Series: the lines of the charts, for the parts that make them, answer them and describe them. */

/** Lines counted from events. Milliseconds are from queued to done; not known while nothing is done. */
const counted = [
  "receivedPerSecond",
  "handledPerSecond",
  "sentPerSecond",
  "handlingP50Ms",
  "handlingP95Ms",
  "handlingP99Ms",
  "sendingP95Ms",
] as const;

/** Lines that a look at the bot shows; not known where it could not be seen. */
const looked = [
  "waiting",
  "inHand",
  "oldestAgeMs",
  "deadLetters",
  "rssBytes",
  "heapUsedBytes",
  "loopDelayMs",
  "cpuPercent",
] as const;

type Values<Column extends string> = Readonly<Record<Column, number | null>>;

type SeriesColumn = (typeof counted)[number] | (typeof looked)[number];

/** The figures of one look at the bot; `null` where they are not known. */
export type SeriesLook = Values<(typeof looked)[number]>;

/** One point of every line; `null` where it is not known. */
export interface SeriesPoint extends Values<SeriesColumn> {
  readonly atEpochMs: number;
}

/** The same for every line, in the order in which the API gives them. */
export function forEveryColumn<T>(make: (column: SeriesColumn) => T): Record<SeriesColumn, T> {
  const entries = [...counted, ...looked].map((column) => [column, make(column)]);
  return Object.fromEntries(entries) as Record<SeriesColumn, T>;
}
