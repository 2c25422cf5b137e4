/**
 * Simulation: plays and judges one run of one seed.
 *
 * Processes live and die one after another over the same disk, in bad weather, while users go on. In
 * safety mode the run ends in bad weather; in liveness mode the weather becomes fine, and everything has
 * to drain within a bound. Every random choice comes from the seed, so a seed replays exactly.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RateLimitedError } from "../../bot/core/errors.ts";
import type { BotEvent } from "../../bot/core/events.ts";
import type { JsonObject } from "../../bot/core/message.ts";
import type { MissedPolicy } from "../../bot/kit/schedule-rules.ts";
import type { Life } from "../../bot/utils/process-monitor/safe-mode-rules.ts";
import { checkHistory } from "../history/checker.ts";
import { checkBooks, historyFromDatabase } from "../history/from-database.ts";
import { type HistoryRecord, type RecordOf, recordsOf } from "../history/history.ts";
import { limitRulesDefault } from "../history/limits.ts";
import type { Finding, HistoryCounts } from "../history/verdict.ts";
import { DiskObserver } from "./disk-observer.ts";
import { findLate } from "./liveness.ts";
import { findMissedTasks } from "./missed-tasks.ts";
import { seededRandom } from "./seeded-random.ts";
import type { DiskFault } from "./simulated-disk.ts";
import type { OnAnswer } from "./simulated-network.ts";
import { type Plants, SimulatedProcess, simulatedKeys } from "./simulated-process.ts";
import { botUser, SimulatedTelegram } from "./simulated-telegram.ts";
import { Thread, VirtualTime } from "./virtual-time.ts";
import { type Blow, drawForecast, type Forecast, type Trigger, Weather } from "./weather.ts";
import { workUsersFrom } from "./work-command.ts";
import { lastWords, nameOfReply, type PlannedUpdate, planWorkload } from "./workload.ts";

/** `both` judges one run in bad weather, and again when everything has drained. */
export type SimulationMode = "safety" | "liveness" | "both";

export interface SimulationOptions {
  readonly seed: number;
  readonly mode: SimulationMode;
  /** Called with every line of the run's log. Default: none. */
  readonly trace?: (line: string) => void;
  readonly plants?: Plants;
}

/** A broken promise: a finding of the checker, or one that only the simulation can see. */
export type Complaint =
  | Finding
  | {
      readonly promise: "P2" | "P9" | "P10" | "P13";
      readonly what: "task-missed" | "defect" | "stop-overdue" | "answered-late";
      readonly where: string;
    };

export interface SimulationResult {
  readonly findings: readonly Complaint[];
  readonly counts: HistoryCounts;
  /** Hash of the log; two runs of one seed have the same. */
  readonly hash: string;
  /** Number of processes. */
  readonly lives: number;
  readonly virtualMs: number;
  readonly forecast: Forecast;
  readonly history: readonly HistoryRecord[];
}

/** Milliseconds of bad weather. */
const badMs = 60_000;
/**
 * Virtual milliseconds in which everything has to drain in fine weather. Only handlers that hang need
 * them: each holds its chat for HANDLER_TIMEOUT_MS. All else has a minute (liveness.ts).
 */
const drainWithinMs = 60 * 60_000;
/** Milliseconds after its start in which a process's disk cache is cold. */
const youngMs = 1_000;
/** A memory file system is used where there is one, because only the order of writes matters. */
const temporary = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const directory = mkdtempSync(join(temporary, "simulation-"));
  const simulation = new Simulation(options, directory);
  const onDefect = (reason: unknown) => simulation.defect(reason);
  process.on("unhandledRejection", onDefect);
  try {
    return await simulation.run();
  } finally {
    process.off("unhandledRejection", onDefect);
    rmSync(directory, { recursive: true, force: true });
  }
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #directory: string;
  readonly #random: () => number;
  readonly #time: VirtualTime;
  readonly #forecast: Forecast;
  readonly #weather: Weather;
  readonly #telegram: SimulatedTelegram;
  readonly #observer: DiskObserver;
  readonly #workload: readonly PlannedUpdate[];
  readonly #log = createHash("sha256");
  readonly #history: HistoryRecord[] = [
    { at: 0, kind: "covers", evidence: ["storage", "effects", "replies"] },
  ];
  readonly #findings: Complaint[] = [];
  readonly #begun = new Map<string, number>();
  readonly #missed: MissedPolicy;
  #numbers = 0;
  #lives = 0;
  readonly #ended: Life[] = [];
  /** Starts that are to be killed soon after them. */
  #killsLeft = 0;
  /** This process's executed and refused sends, which become ambiguous if it dies before it records them. */
  #uncertain: { executed: Mutable<RecordOf<"executed">>[]; refused: RecordOf<"rate-limited">[] };
  #process: SimulatedProcess | undefined;
  #thread: Thread | undefined;
  #armed: Armed | undefined;

  constructor(options: SimulationOptions, directory: string) {
    const { seed } = options;
    this.#options = options;
    this.#directory = directory;
    this.#random = seededRandom(seed * 4 + 1);
    this.#time = new VirtualTime(seededRandom(seed * 4 + 2));
    this.#time.tellsBoot = seed % 2 === 0;
    this.#missed = seed % 4 < 2 ? "once" : "skip";
    this.#forecast = drawForecast(seededRandom(seed * 4 + 3), badMs);
    const random = seededRandom(seed * 4);
    this.#weather = new Weather(this.#forecast, random, () => this.#time.nowMs);
    this.#workload = planWorkload(random, badMs);
    this.#observer = new DiskObserver(directory, simulatedKeys);
    this.#uncertain = { executed: [], refused: [] };
    this.#telegram = new SimulatedTelegram(this.#time, {
      confirmed: (updateId) => this.#confirmed(updateId),
      executed: (method, payload) => this.#executed(method, payload),
    });
  }

  /** Reports an unhandled error, unless its process is dead. */
  defect(reason: unknown): void {
    if (/simulated process is dead/.test(String(reason))) return;
    this.#note("defect", String(reason));
    const where = `unhandled: ${reason instanceof Error ? reason.stack : String(reason)}`;
    this.#findings.push({ promise: "P9", what: "defect", where });
  }

  async run(): Promise<SimulationResult> {
    const { mode } = this.#options;
    for (const planned of this.#workload) this.#time.at(planned.atMs, () => this.#offer(planned));
    for (const blow of this.#forecast.blows) this.#time.at(blow.atMs, () => this.#strike(blow));
    this.#boot();
    await this.#time.runUntil(badMs);
    if (mode === "both") this.#findings.push(...this.#judge().findings);
    if (mode !== "safety") await this.#drain();
    this.#process?.kill("the simulation is over");
    const { findings, counts } = this.#judge();
    if (mode !== "safety") this.#findings.push(...this.#findLate());
    this.#observer.close();
    return {
      findings: [...this.#findings, ...findings],
      counts,
      hash: this.#log.digest("hex").slice(0, 16),
      lives: this.#lives,
      virtualMs: this.#time.nowMs,
      forecast: this.#forecast,
      history: this.#history,
    };
  }

  // ---- events -------------------------------------------------------------------------------------

  #boot(): void {
    this.#lives++;
    // The first start creates the tables, and can be killed in the middle of that.
    const early = this.#lives === 1 && this.#random() < 0.2;
    this.#armed = early
      ? { blow: "kill-at-statement", trigger: "now", statements: this.#random() * 25, commits: 0 }
      : undefined;
    this.#note("boot", this.#lives);
    this.#record({ kind: "started" });
    const thread = new Thread(this.#time, this.#random);
    const startedAtEpochMs = thread.epochMs();
    const { plants = {} } = this.#options;
    const booted = new SimulatedProcess({
      directory: this.#directory,
      time: this.#time,
      thread,
      random: this.#random,
      telegram: this.#telegram,
      weather: this.#weather,
      plants,
      strikeDisk: (point) => this.#strikeDisk(point, thread),
      work: {
        begin: (key) => {
          const before = this.#begun.get(key) ?? 0;
          this.#begun.set(key, before + 1);
          return before;
        },
        random: this.#random,
        nextNumber: () => this.#numbers++,
        missed: this.#missed,
      },
      onEvent: (event) => this.#heard(event),
      onHandling: (kind, payload) => this.#handling(kind, payload),
      onExecuted: () => {
        if (this.#armed?.blow !== "kill-after-call") return;
        this.#armed = undefined;
        this.#process?.kill("killed after a call");
      },
      onAnswer: (method, payload, answer) => this.#answered(method, payload, answer),
      lives: [...this.#ended],
      onEnd: (reason, clean) => this.#end(reason, clean, startedAtEpochMs),
    });
    this.#process = booted;
    thread.after(0, () => booted.start());
    this.#thread = thread;
    if (this.#killsLeft > 0 && this.#time.nowMs < badMs) {
      this.#killsLeft--;
      this.#time.after(this.#random() * 1_500, () => booted.kill("killed again"));
    }
  }

  #end(reason: string, clean: boolean, startedAtEpochMs: number): void {
    this.#note("end", reason);
    this.#record({ kind: "died" });
    this.#ended.push({
      startedAtEpochMs,
      endedAtEpochMs: Math.floor(this.#time.epochAtZeroMs + this.#time.nowMs),
      clean,
    });
    this.#process = undefined;
    // A claimed send is not known to be done, even if Telegram has executed and answered it.
    for (const { payload } of this.#observer.claimedSends()) {
      const call = JSON.parse(payload) as { method: string; payload: JsonObject };
      const chat = String(call.payload["chat_id"]);
      const reply = nameOfReply(call.method, call.payload);
      const last = this.#uncertain.executed.findLast((record) => record.chat === chat);
      if (last && last.reply === reply) last.ambiguous = true;
      const refusal = this.#uncertain.refused.findLast((record) => record.chat === chat);
      if (refusal) this.#history.splice(this.#history.indexOf(refusal), 1);
    }
    this.#uncertain = { executed: [], refused: [] };
    this.#time.after(20 * 150 ** this.#random(), () => this.#boot());
  }

  #offer(planned: PlannedUpdate): void {
    const { chat, effects, replies, update, updateId } = planned;
    this.#record({ kind: "sent-by-user", update: String(updateId), chat, effects, replies });
    this.#telegram.offer(update);
  }

  #strike(blow: Blow): void {
    const { kind, ms } = blow;
    this.#note("blow", kind);
    switch (kind) {
      case "kill-again-and-again":
        this.#killsLeft = 2 + Math.floor(this.#random() * 10);
        this.#process?.kill("killed again");
        return;
      case "deploy":
        this.#process?.stop("deployed again");
        return;
      case "pause":
        this.#thread?.stall(ms);
        return;
      case "clock-step":
        this.#time.epochAtZeroMs += ms;
        return;
      case "idle-poll-lost":
        this.#process?.loseIdlePoll();
        return;
      default:
        this.#armed = {
          blow: kind,
          trigger: blow.trigger,
          statements: Math.floor(this.#random() * 12),
          commits: Math.floor(this.#random() * 3),
        };
        this.#trigger("now");
    }
  }

  /** Kills the process if an armed death was waiting for this moment. */
  #trigger(trigger: Trigger): void {
    const armed = this.#armed;
    if (armed?.trigger !== trigger) return;
    armed.trigger = "now";
    const { blow } = armed;
    if (blow !== "kill" && blow !== "power-cut") return;
    const victim = this.#process;
    const delayMs = trigger === "now" ? 0 : this.#random() * 6;
    this.#time.after(delayMs, () => {
      if (blow === "kill") victim?.kill("killed");
      else this.#cutPower(victim);
    });
  }

  #cutPower(victim: SimulatedProcess | undefined): void {
    // What it sees is about to change under it.
    this.#observer.close();
    victim?.cutPower(this.#random() < 0.5 ? 0 : this.#random());
  }

  #strikeDisk(point: "statement" | "commit", thread: Thread): DiskFault | undefined {
    if (point === "commit") {
      const young = thread.ageMs < youngMs;
      const stallMs = this.#time.nowMs < badMs ? this.#weather.commitStallMs(young) : 0;
      if (stallMs > 0) thread.stall(stallMs);
    }
    if (this.#weather.has("disk-full") && this.#random() < 0.3) return { kind: "full" };
    const armed = this.#armed;
    if (armed?.trigger !== "now") return undefined;
    if (point === "statement") {
      if (armed.blow !== "kill-at-statement" || armed.statements-- > 0) return undefined;
      return this.#disarmed({ kind: "die", reachedDisk: false });
    }
    if (armed.commits-- > 0) return undefined;
    switch (armed.blow) {
      case "kill-at-commit":
        return this.#disarmed({ kind: "die", reachedDisk: false });
      case "kill-after-commit":
        return this.#disarmed({ kind: "die", reachedDisk: true });
      case "sync-fails":
        return this.#disarmed({ kind: "sync-failed", reachedDisk: this.#random() < 0.5 });
      default:
        return undefined;
    }
  }

  #disarmed(fault: DiskFault): DiskFault {
    this.#armed = undefined;
    this.#note("disk", fault.kind);
    return fault;
  }

  // ---- records ------------------------------------------------------------------------------------

  #confirmed(updateId: number): void {
    const update = String(updateId);
    if (this.#observer.holds(botUser.id, updateId)) this.#record({ kind: "stored", update });
    this.#record({ kind: "confirmed", update });
    const again = this.#random() < 0.03 && this.#time.nowMs < badMs;
    const planned = this.#workload.find((one) => one.updateId === updateId);
    if (again && planned) {
      this.#time.after(this.#random() * 5_000, () => this.#telegram.offer(planned.update));
    }
  }

  #executed(method: string, payload: JsonObject): void {
    const reply = nameOfReply(method, payload);
    if (reply === undefined) return;
    const chat = String(payload["chat_id"]);
    // The send is ambiguous until its answer is read.
    const record = this.#record({ kind: "executed", chat, reply, ambiguous: true });
    this.#uncertain.executed.push(record as Mutable<RecordOf<"executed">>);
  }

  readonly #answered: OnAnswer = (method, payload, answer) => {
    if (method === "getUpdates") {
      if ("result" in answer && (answer.result as unknown[]).length > 0) {
        this.#trigger("updates-received");
      }
      return;
    }
    const error = "error" in answer ? answer.error : undefined;
    this.#trigger("call-answered");
    const chat = String(payload["chat_id"]);
    const reply = nameOfReply(method, payload);
    if (reply === undefined) return;
    this.#note("answer", { reply, chat, error: error?.message });
    if (error instanceof RateLimitedError) {
      const { retryAfterMs } = error;
      const record = this.#record({ kind: "rate-limited", chat, retryAfterMs });
      this.#uncertain.refused.push(record as RecordOf<"rate-limited">);
    }
    const last = this.#uncertain.executed.findLast((record) => record.chat === chat);
    if (last && last.reply === reply && error === undefined) last.ambiguous = false;
  };

  #handling(kind: "began" | "ended", payload: JsonObject): void {
    const update = String(payload["update_id"]);
    const planned = this.#workload.find(({ updateId }) => String(updateId) === update);
    if (planned) this.#record({ kind, update, chat: planned.chat });
    if (kind === "ended") this.#trigger("handler-ended");
  }

  #heard(event: BotEvent): void {
    this.#note("event", event);
  }

  #record(
    fields: HistoryRecord extends infer R ? (R extends unknown ? Omit<R, "at"> : never) : never,
  ): HistoryRecord {
    const record = { at: this.#time.nowMs, ...fields } as HistoryRecord;
    this.#history.push(record);
    this.#note("history", fields);
    return record;
  }

  #note(what: string, detail: unknown): void {
    const line = `${this.#time.nowMs.toFixed(3)} ${what} ${JSON.stringify(detail)}`;
    this.#log.update(line);
    this.#options.trace?.(line);
  }

  // ---- the end ------------------------------------------------------------------------------------

  /** Keeps the weather fine until nothing is left to do, then stops the process. */
  async #drain(): Promise<void> {
    const untilMs = badMs + drainWithinMs;
    this.#armed = undefined;
    const isDrained = () =>
      this.#telegram.pending === 0 && this.#observer.messages() === 0 && this.#lives > 0;
    while (this.#time.nowMs < untilMs) {
      await this.#time.runUntil(this.#time.nowMs + 1_000);
      if (isDrained()) break;
    }
    this.#record({ kind: "drained" });
    const last = this.#process;
    last?.stop("the simulation is over");
    await this.#time.runUntil(this.#time.nowMs + 60_000, () => this.#process !== last);
    if (last && this.#process === last) {
      const where = "the process did not stop within a minute";
      this.#findings.push({ promise: "P10", what: "stop-overdue", where });
    }
  }

  /** Finds what was held back for too long after the weather had turned fine (P13). */
  #findLate(): Complaint[] {
    const hanging = new Set(
      this.#workload.filter(({ hangs }) => hangs).map(({ updateId }) => String(updateId)),
    );
    return findLate(this.#history, { fineFromMs: badMs, hanging }).map((where) => ({
      promise: "P13",
      what: "answered-late",
      where,
    }));
  }

  #judge() {
    const at = this.#time.nowMs;
    const history = [...this.#history];
    const seen = new Set(
      history.flatMap((record) => (record.kind === "stored" ? [record.update] : [])),
    );
    const reply = (method: string, payload: JsonObject) => nameOfReply(method, payload) ?? method;
    const names = {
      at,
      reply: (method: string, payload: Readonly<Record<string, unknown>>) =>
        reply(method, payload as JsonObject),
      lastWords: [lastWords],
    };
    for (const record of historyFromDatabase(this.#observer.read, names)) {
      // Its exact time is not known: a confirmation may have come before it.
      if (record.kind === "stored") {
        if (!seen.has(record.update)) history.push({ ...record, at });
      } else {
        history.push(record.kind === "effect" ? renamed(record) : record);
      }
    }
    // Without the machine's word between two processes, a clock set forward looks like passed time.
    const setForward =
      !this.#time.tellsBoot &&
      this.#forecast.blows.some(({ kind, ms }) => kind === "clock-step" && ms > 0);
    const limits = setForward ? null : limitRulesDefault;
    const verdict = checkHistory(history, { limits });
    const books = checkBooks((table) =>
      this.#observer.read(table).filter((row) => Number(row["user_id"] ?? 0) < workUsersFrom),
    );
    const tasks = findMissedTasks(this.#observer.read, {
      later: this.#workload.flatMap(({ later }) => later ?? []),
      missed: this.#missed,
      drained: recordsOf(history, "drained").length > 0,
    }).map((where) => ({ promise: "P2", what: "task-missed", where }) as const);
    this.#log.update(JSON.stringify(verdict.counts));
    return { findings: [...verdict.findings, ...books, ...tasks], counts: verdict.counts };
  }
}

/** A death that waits for its moment. */
interface Armed {
  readonly blow: Blow["kind"];
  trigger: Trigger;
  /** Number of statements and commits to let pass first. */
  statements: number;
  commits: number;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

/** Renames an effect of `/work`, which has users and references of its own; see work-command.ts. */
function renamed(effect: RecordOf<"effect">): RecordOf<"effect"> {
  const userId = Number(effect.chat);
  if (userId < workUsersFrom) return { ...effect, chat: `shop:${effect.chat}` };
  const name = effect.effect.replace(/^welcome:/, "").replace(/#\d+$/, "");
  return { ...effect, chat: String(userId - workUsersFrom), effect: name };
}
