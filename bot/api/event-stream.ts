/**
 * Event stream: sends events as they happen to clients that keep a request open (server-sent events).
 *
 *   id: m3k9-42
 *   event: fact | sample | log
 *   data: {"atEpochMs":…, …}
 *
 * Keeps the latest entries, so that a client that comes back with its `Last-Event-ID` misses none of
 * them. It never waits for a client: one that reads too slowly is cut off, and may come back.
 */
import type { Response } from "express";
import type { Clock } from "../core/clock.ts";
import { Loop } from "../core/loop.ts";
import { Ring } from "../core/ring.ts";
import { RequestRefusedError } from "./refusal.ts";

export interface EventStreamDeps {
  readonly clock: Clock;
}

/** The kind of an entry: a fact (an event of the bot), a sample (a new point of the charts) or a log line. */
export type EntryKind = "fact" | "sample" | "log";

const entriesMax = 500;
const clientsMax = 10;
/** Bytes that may wait for a client that reads slowly. */
const backlogBytesMax = 1024 * 1024;
/** Milliseconds between comments, which show that the connection is alive. */
const keepAliveMs = 15_000;
const retryAfterSeconds = 5;

interface Entry {
  readonly number: number;
  readonly text: string;
}

interface Client {
  readonly response: Response;
  readonly keepAlive: Loop;
}

export class EventStream {
  readonly #clock: Clock;
  /** Distinguishes the entries of this process from those of earlier ones. */
  readonly #life: string;
  readonly #clients = new Set<Client>();
  readonly #entries = new Ring<Entry>(entriesMax);
  #numbers = 0;

  constructor({ clock }: EventStreamDeps) {
    this.#clock = clock;
    this.#life = clock.epochMs().toString(36);
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Sends an entry to every client. @param facts Plain data without secrets or people's words. */
  push(kind: EntryKind, facts: object): void {
    const number = ++this.#numbers;
    const data = JSON.stringify({ atEpochMs: this.#clock.epochMs(), ...facts });
    const text = `id: ${this.#life}-${number}\nevent: ${kind}\ndata: ${data}\n\n`;
    this.#entries.push({ number, text });
    for (const client of this.#clients) this.#write(client, text);
  }

  /**
   * Answers with the stream, beginning after `lastEventId`; without one, with the next entry.
   * Throws `RequestRefusedError` 503 when too many clients follow already.
   */
  connect(response: Response, lastEventId: string | undefined): void {
    if (this.#clients.size >= clientsMax) {
      throw new RequestRefusedError({
        status: 503,
        code: "TOO_MANY_STREAMS",
        message: `at most ${clientsMax} clients can follow at a time`,
        hint: "Close another dashboard.",
        retryAfterSeconds,
      });
    }
    response.set("X-Accel-Buffering", "no");
    response.status(200);
    response.flushHeaders();
    const client: Client = {
      response,
      keepAlive: new Loop(this.#clock, async (loop) => {
        while (await loop.wait(keepAliveMs)) this.#write(client, ": still here\n\n");
      }),
    };
    this.#clients.add(client);
    response.on("error", () => {});
    response.once("close", () => this.#forget(client));
    for (const entry of this.#missedSince(lastEventId)) this.#write(client, entry.text);
    // With an id, so that a client that is cut off before the next entry comes back to it.
    const id = `${this.#life}-${this.#numbers}`;
    this.#write(client, `id: ${id}\nretry: ${retryAfterSeconds * 1000}\n\n`);
    client.keepAlive.start();
  }

  /** Ends the answer to every client; clients may come back. */
  disconnect(): void {
    for (const client of this.#clients) {
      client.response.end();
      this.#forget(client);
    }
  }

  #missedSince(lastEventId: string | undefined): readonly Entry[] {
    const [, life, number] = /^([0-9a-z]+)-(\d{1,15})$/.exec(lastEventId ?? "") ?? [];
    if (life === undefined) return [];
    // The id is from another process, so every entry of this one is new.
    const isNew = (entry: Entry) => life !== this.#life || entry.number > Number(number);
    return this.#entries.values.filter(isNew);
  }

  #write(client: Client, text: string): void {
    client.response.write(text);
    if (client.response.writableLength <= backlogBytesMax) return;
    client.response.destroy();
    this.#forget(client);
  }

  #forget(client: Client): void {
    void client.keepAlive.stop();
    this.#clients.delete(client);
  }
}
