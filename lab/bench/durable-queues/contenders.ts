/** Contenders: the queues that are measured, and with how many processes. */

export type QueueKind = "sqlite" | "postgres" | "pg-boss" | "pg-boss-batches" | "bare";

export const contenderNames = [
  "sqlite",
  "postgres",
  "postgres-2",
  "pg-boss",
  "pg-boss-2",
  "pg-boss-batches",
  "bare",
  "bare-2",
] as const;
export type ContenderName = (typeof contenderNames)[number];

export interface Contender {
  readonly name: ContenderName;
  readonly title: string;
  readonly kind: QueueKind;
  readonly processes: number;
}

export const contenders: Readonly<Record<ContenderName, Contender>> = {
  sqlite: one("sqlite", "this bot on SQLite", "sqlite"),
  postgres: one("postgres", "this bot on PostgreSQL", "postgres"),
  "postgres-2": two("postgres-2", "this bot on PostgreSQL", "postgres"),
  "pg-boss": one("pg-boss", "pg-boss, key_strict_fifo", "pg-boss"),
  "pg-boss-2": two("pg-boss-2", "pg-boss, key_strict_fifo", "pg-boss"),
  "pg-boss-batches": one("pg-boss-batches", "the same, in batches", "pg-boss-batches"),
  bare: one("bare", "bare statements of a turn", "bare"),
  "bare-2": two("bare-2", "bare statements of a turn", "bare"),
};

/** The contender of another kind with as many processes. */
export function besides(kind: QueueKind, { processes }: Contender): ContenderName | undefined {
  return contenderNames.find((name) => {
    const other = contenders[name];
    return other.kind === kind && other.processes === processes;
  });
}

function one(name: ContenderName, title: string, kind: QueueKind): Contender {
  return { name, title, kind, processes: 1 };
}

function two(name: ContenderName, title: string, kind: QueueKind): Contender {
  return { name, title: `${title}, 2 processes`, kind, processes: 2 };
}
