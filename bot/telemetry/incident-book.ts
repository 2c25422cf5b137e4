/**
 * Incident book: records on disk what went wrong, what was tried, and how long it lasted.
 *
 * Listens to events; the rules are in telemetry/incident-rules.ts. It has its own file, so it can
 * record a database that cannot be opened. Incidents open at a death are closed at the next start.
 */
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { BotEvent } from "../core/events.ts";
import { RecordFile } from "../core/record-file.ts";
import type { Measure, Trouble } from "../core/recovery.ts";
import { type IncidentStep, judgeEvent } from "./incident-rules.ts";

export interface Incident {
  readonly id: number;
  readonly subject: string;
  readonly trouble: Trouble;
  readonly cause: string;
  readonly openedAtEpochMs: number;
  /** The measures taken, in order, each with how often it was repeated in a row. */
  readonly measures: readonly { readonly measure: Measure; readonly times: number }[];
  /** `undefined` while the incident is open. */
  readonly closedAtEpochMs?: number;
  /** How often the trouble was seen during the incident. */
  readonly times: number;
}

export interface IncidentBookDeps {
  readonly directory: string;
  readonly clock: Clock;
}

const fileName = "incidents.jsonl";
const incidentsMax = 500;
/** The same past trouble within this time is counted in the recorded incident. */
const sameWithinMs = 60_000;

export class IncidentBook {
  readonly #deps: IncidentBookDeps;
  readonly #file: RecordFile<Incident>;
  readonly #listeners: ((incident: Incident) => void)[] = [];
  readonly #incidents = new Map<number, Incident>();
  readonly #open = new Map<string, number>();
  #ids = 0;
  #begun = false;

  constructor(deps: IncidentBookDeps) {
    this.#deps = deps;
    const path = join(deps.directory, fileName);
    this.#file = new RecordFile({ path, keyOf });
  }

  /** @param listener Called for every incident that begins or ends. */
  subscribe(listener: (incident: Incident) => void): void {
    this.#listeners.push(listener);
  }

  /** Lists incidents, newest first. */
  list(limit: number): readonly Incident[] {
    return [...this.#incidents.values()].slice(-limit).toReversed();
  }

  /** Reads the recorded incidents and closes those that were open when the last process ended. */
  begin(): void {
    const fresh = [...this.#incidents.values()];
    this.#incidents.clear();
    for (const incident of this.#file.read().slice(-incidentsMax)) {
      const closedAtEpochMs = incident.closedAtEpochMs ?? this.#deps.clock.epochMs();
      this.#put({ ...incident, id: ++this.#ids, closedAtEpochMs });
    }
    // Incidents that happened before the file was read come after its content.
    for (const incident of fresh) {
      const id = ++this.#ids;
      if (this.#open.get(incident.subject) === incident.id) this.#open.set(incident.subject, id);
      this.#put({ ...incident, id });
    }
    this.#file.rewrite([...this.#incidents.values()]);
    this.#begun = true;
  }

  /** The listener to register with the event bus. */
  readonly listener = (event: BotEvent): void => {
    const step = judgeEvent(event);
    if (!step) return;
    const open = this.#incidents.get(this.#open.get(step.subject) ?? -1);
    const nowEpochMs = this.#deps.clock.epochMs();
    switch (step.kind) {
      case "open":
        if (open) this.#write({ ...open, times: open.times + 1 });
        else this.#openOne(step, nowEpochMs);
        return;
      case "measure":
        if (open) this.#write({ ...open, measures: withMeasure(open, step.measure) });
        return;
      case "close":
        if (!open) return;
        this.#open.delete(step.subject);
        this.#write({ ...open, closedAtEpochMs: nowEpochMs }, true);
        return;
      case "past":
        this.#notePast(step, nowEpochMs);
        return;
    }
  };

  #openOne(step: StepOf<"open">, openedAtEpochMs: number): void {
    const id = ++this.#ids;
    this.#open.set(step.subject, id);
    this.#write({ id, ...factsOf(step), openedAtEpochMs, times: 1 }, true);
  }

  #notePast(step: StepOf<"past">, nowEpochMs: number): void {
    const same = [...this.#incidents.values()].findLast((one) => one.subject === step.subject);
    const recent = same?.closedAtEpochMs ?? Number.NEGATIVE_INFINITY;
    if (same && same.cause === step.cause && nowEpochMs - recent < sameWithinMs) {
      this.#write({ ...same, closedAtEpochMs: nowEpochMs, times: same.times + 1 });
      return;
    }
    const instants = { openedAtEpochMs: nowEpochMs, closedAtEpochMs: nowEpochMs };
    this.#write({ id: ++this.#ids, ...factsOf(step), ...instants, times: 1 }, true);
  }

  #write(incident: Incident, changed = false): void {
    this.#put(incident);
    if (this.#begun) {
      try {
        // It is not synced, because a storm of incidents must not block the event loop.
        this.#file.append(incident, false);
      } catch {
        // The disk is probably full: the book continues in memory, and the log reports the disk.
      }
    }
    if (changed) for (const listener of this.#listeners) listener(incident);
  }

  #put(incident: Incident): void {
    this.#incidents.set(incident.id, incident);
    const oldest = this.#incidents.keys().next();
    if (this.#incidents.size > incidentsMax && !oldest.done) this.#incidents.delete(oldest.value);
  }
}

type StepOf<K> = Extract<IncidentStep, { readonly kind: K }>;

function factsOf({ cause, measure, subject, trouble }: StepOf<"open"> | StepOf<"past">) {
  return { subject, trouble, cause, measures: measure ? [{ measure, times: 1 }] : [] };
}

/** Adds a measure, or counts a repetition: an outage of a day takes many attempts. */
function withMeasure({ measures }: Incident, measure: Measure): Incident["measures"] {
  const last = measures.at(-1);
  if (last?.measure !== measure) return [...measures, { measure, times: 1 }];
  return [...measures.slice(0, -1), { measure, times: last.times + 1 }];
}

function keyOf({ id, measures }: Incident): string | undefined {
  return Number.isInteger(id) && Array.isArray(measures) ? String(id) : undefined;
}
