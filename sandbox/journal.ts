/**
 * Journal: keeps the latest requests to the Bot API in order of arrival.
 *
 * An entry changes while its request is open; readers get copies.
 */
import type { JournalEntry, JournalQuery } from "./control-api.ts";
import type { Connection } from "./http/connection.ts";

/** An entry while its request is open: the same fields, but writable. */
export interface OpenEntry {
  sequence: number;
  botId: number;
  method: string;
  parameters: Readonly<Record<string, string>>;
  arrivedAtMs: number;
  arrivedAtEpochMs: number;
  answeredAtMs: number | null;
  status: number | null;
  description: string | null;
  executed: boolean;
  executedAtMs: number | null;
  chatId: number | null;
  messageId: number | null;
  cost: number;
  answerWritten: boolean;
  fault: string | null;
  /** The request's connection, which knows when the client left. */
  connection: Connection | null;
}

const limitDefault = 1_000;

export class Journal {
  readonly #entriesMax: number;
  #entries: OpenEntry[] = [];
  #sequences = 0;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  open(fields: {
    botId: number;
    method: string;
    parameters: Readonly<Record<string, string>>;
    arrivedAtMs: number;
    arrivedAtEpochMs: number;
    connection: Connection | null;
  }): OpenEntry {
    this.#sequences += 1;
    const entry: OpenEntry = {
      sequence: this.#sequences,
      botId: fields.botId,
      method: fields.method,
      parameters: fields.parameters,
      arrivedAtMs: fields.arrivedAtMs,
      arrivedAtEpochMs: fields.arrivedAtEpochMs,
      answeredAtMs: null,
      status: null,
      description: null,
      executed: false,
      executedAtMs: null,
      chatId: null,
      messageId: null,
      cost: 0,
      answerWritten: false,
      fault: null,
      connection: fields.connection,
    };
    this.#entries.push(entry);
    // Drop a quarter at a time: shifting one by one would copy the whole array with every request.
    if (this.#entries.length > this.#entriesMax * 1.25) {
      this.#entries = this.#entries.slice(-this.#entriesMax);
    }
    return entry;
  }

  query(query: JournalQuery): readonly JournalEntry[] {
    const limit = query.limit ?? limitDefault;
    const method = query.method?.toLowerCase();
    const found: JournalEntry[] = [];
    for (let index = this.#indexAfter(query.after ?? 0); index < this.#entries.length; index++) {
      if (found.length >= limit) break;
      const entry = this.#entries[index] as OpenEntry;
      if (method !== undefined && entry.method.toLowerCase() !== method) continue;
      if (query.chatId !== undefined && entry.chatId !== query.chatId) continue;
      if (query.botId !== undefined && entry.botId !== query.botId) continue;
      found.push(view(entry));
    }
    return found;
  }

  #indexAfter(sequence: number): number {
    const first = this.#entries[0]?.sequence ?? 1;
    return Math.max(0, sequence + 1 - first);
  }
}

function view(entry: OpenEntry): JournalEntry {
  const { connection, fault, ...fields } = entry;
  const goneAtMs = connection?.clientGoneAtMs;
  const { answeredAtMs } = entry;
  return {
    ...fields,
    ...(fault === null ? {} : { fault }),
    ...(goneAtMs === undefined || answeredAtMs === null
      ? {}
      : { clientGoneAfterMs: Math.max(0, goneAtMs - answeredAtMs) }),
  };
}
