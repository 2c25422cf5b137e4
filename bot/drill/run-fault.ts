/**
 * Run of a fault: sets a scene, breaks it, waits until the bot answers again, and has it judged.
 *
 * Detection and recovery are measured from outside: lines as they arrive, exits as a supervisor sees
 * them, and sends as the sandbox executes them.
 */
import { eventually, nowMs, pause } from "./bot-process.ts";
import type { Aim, Detection, Fault } from "./fault.ts";
import { type Judgement, judge, type Span } from "./judge.ts";
import { type Scene, type SceneDefaults, setScene } from "./scene.ts";
import { whyMissing } from "./tools.ts";

/** Milliseconds within which a fault of each kind must be over. */
export const aimsMs: Readonly<Record<Aim, number>> = { hang: 20_000, outage: 5_000, kill: 2_000 };

/** Instants are milliseconds since the scene's beginning. */
export interface FaultReport {
  readonly fault: Fault;
  readonly outcome: "held" | "broken" | "skipped";
  /** Of a skip, or one sentence for each promise broken. */
  readonly reasons: readonly string[];
  readonly detectedAfterMs?: number;
  readonly recoveredAfterMs?: number;
  readonly judgement?: Judgement;
  readonly timeline?: Timeline;
}

export interface Timeline {
  readonly injectedAtMs: number;
  readonly endedAtMs: number;
  readonly detectedAtMs?: number;
  readonly recoveredAtMs?: number;
  readonly finishedAtMs: number;
  /** When sends took effect. */
  readonly answersAtMs: readonly number[];
  readonly exits: readonly { readonly atMs: number; readonly how: string }[];
}

export type Narrate = (line: string) => void;

const defaultLastsMs = 3_000;
const noticeMsMax = 60_000;
const recoverMsMax = 120_000;
const settleMsMax = 90_000;

export async function runFault(
  fault: Fault,
  defaults: SceneDefaults,
  narrate: Narrate,
): Promise<FaultReport> {
  const missing = (fault.needs ?? []).flatMap((tool) => whyMissing(tool) ?? []);
  if (missing.length > 0) return { fault, outcome: "skipped", reasons: missing };
  const scene = await setScene(fault.setup ?? {}, defaults);
  try {
    return await play(fault, scene, narrate);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const lastWords = scene.bot.lines.slice(-5).map(({ text }) => `the bot said: ${text}`);
    return { fault, outcome: "broken", reasons: [reason, ...lastWords] };
  } finally {
    await scene.close();
  }
}

async function play(fault: Fault, scene: Scene, narrate: Narrate): Promise<FaultReport> {
  const { answers, bot, crowd, supervisor } = scene;
  const startedAtMs = nowMs();
  supervisor.start();
  await bot.monitoringUrl();
  answers.start();
  crowd.start();
  await answers.firstAfter(startedAtMs, recoverMsMax);
  await pause(1_000);

  const watch = new Watch(fault.detection, scene);
  const injectedAtMs = nowMs();
  await fault.inject(scene);
  narrate("broken");
  let endedAtMs = nowMs();
  if (fault.end) {
    await Promise.all([pause(fault.lastsMs ?? defaultLastsMs), watch.noticed(noticeMsMax)]);
    await fault.end(scene);
    endedAtMs = nowMs();
    narrate("made whole");
  }
  const detectedAtMs = await watch.noticed(noticeMsMax);
  watch.stop();
  if (detectedAtMs !== undefined) narrate(`noticed after ${seconds(detectedAtMs - injectedAtMs)}`);

  const overAtMs = fault.end ? endedAtMs : Math.max(endedAtMs, detectedAtMs ?? 0);
  const fromMs = fault.end || fault.detection.by === "exit" ? overAtMs : endedAtMs;
  const recoveredAtMs = await answers.firstAfter(fromMs, recoverMsMax);
  const countedFromMs = fault.aim === "hang" ? injectedAtMs : fromMs;
  const recoveredAfterMs = recoveredAtMs - countedFromMs;
  narrate(`answering after ${seconds(recoveredAfterMs)}`);

  await fault.afterwards?.(scene);
  const leaves = fault.leaves ?? 0;
  const problems = [...(await settle(scene, leaves)), ...((await fault.check?.(scene)) ?? [])];
  const deafMs = fault.deafMs ?? 0;
  const deaf: Span[] = supervisor.ends.map(({ atMs }) => [atMs - deafMs, atMs]);
  if (fault.swallows) deaf.push([injectedAtMs, endedAtMs]);
  const judgement = await judge(scene, { deaf, drained: leaves === 0 });
  problems.push(...judgement.problems);
  const absorbed = fault.detection.by === "nothing";
  if (detectedAtMs === undefined && !absorbed) problems.push("nobody noticed it");
  if (recoveredAfterMs > aimsMs[fault.aim]) {
    problems.push(`answering took ${seconds(recoveredAfterMs)}, aim ${seconds(aimsMs[fault.aim])}`);
  }
  const since = (atMs: number) => atMs - startedAtMs;
  return {
    fault,
    outcome: problems.length === 0 ? "held" : "broken",
    reasons: problems,
    ...(detectedAtMs !== undefined && { detectedAfterMs: detectedAtMs - injectedAtMs }),
    recoveredAfterMs,
    judgement,
    timeline: {
      injectedAtMs: since(injectedAtMs),
      endedAtMs: since(overAtMs),
      ...(detectedAtMs !== undefined && { detectedAtMs: since(detectedAtMs) }),
      recoveredAtMs: since(recoveredAtMs),
      finishedAtMs: since(nowMs()),
      answersAtMs: answers.all.map(since),
      exits: supervisor.ends.map(({ atMs, code, signal }) => ({
        atMs: since(atMs),
        how: signal ?? `exit ${code}`,
      })),
    },
  };
}

/** Lets everybody finish, stops the bot, and takes the journal. */
async function settle(scene: Scene, leaves: number) {
  const { crowd, sandbox, supervisor } = scene;
  await crowd.stop();
  const problems: string[] = [];
  const within = async (what: string, question: () => Promise<boolean>) => {
    await eventually(what, question, settleMsMax).catch((error: Error) => {
      problems.push(error.message);
    });
  };
  await within("every update is confirmed", async () => (await sandbox.queue()).pending === 0);
  const late = pause(settleMsMax).then(() => "a shopper still waits");
  const waits = await Promise.race([crowd.shopped(), late]);
  if (waits !== undefined) problems.push(waits);
  await within("the queue is empty", async () => (await countUnfinished(scene)) <= leaves);
  const code = await supervisor.stop();
  if (code !== 0) problems.push(`the last stop ended with ${code}`);
  return problems;
}

/** Messages that wait or are in hand; infinitely many while nobody says. */
async function countUnfinished({ bot }: Scene): Promise<number> {
  const queue = await bot.ask<{
    pools: Record<string, { waiting: number; inHand: number }>;
  }>("/api/message-queue");
  if (!queue) return Number.POSITIVE_INFINITY;
  return Object.values(queue.pools).reduce((sum, pool) => sum + pool.waiting + pool.inHand, 0);
}

interface Health {
  readonly checks: Readonly<Record<string, { readonly status: string }>>;
}

/** Looks for the sign that the fault was noticed. */
class Watch {
  readonly #detection: Detection;
  readonly #scene: Scene;
  readonly #sinceMs = nowMs();
  #stopped = false;
  #healthSeenAtMs: number | undefined;

  constructor(detection: Detection, scene: Scene) {
    this.#detection = detection;
    this.#scene = scene;
    if (detection.by === "health") void this.#askHealth(detection.probe);
  }

  /** When it was noticed; `undefined` if not within `timeoutMs`. */
  async noticed(timeoutMs: number): Promise<number | undefined> {
    if (this.#detection.by === "nothing") return undefined;
    return eventually("it is noticed", async () => this.#look(), timeoutMs).catch(() => undefined);
  }

  stop(): void {
    this.#stopped = true;
  }

  #look(): number | undefined {
    const detection = this.#detection;
    switch (detection.by) {
      case "log":
        return this.#scene.bot.lines.find(
          ({ atMs, text }) => atMs >= this.#sinceMs && detection.line.test(text),
        )?.atMs;
      case "exit":
        return this.#scene.supervisor.ends.find(
          ({ atMs, code, signal }) =>
            atMs >= this.#sinceMs &&
            (detection.code === "killed" ? signal !== null : code === detection.code),
        )?.atMs;
      case "health":
        return this.#healthSeenAtMs;
      case "nothing":
        return undefined;
    }
  }

  async #askHealth(probe: string): Promise<void> {
    while (!this.#stopped && this.#healthSeenAtMs === undefined) {
      await pause(200);
      const health = await this.#scene.bot.ask<Health>("/api/health");
      const status = health?.checks[probe]?.status ?? "healthy";
      if (status !== "healthy") this.#healthSeenAtMs = nowMs();
    }
  }
}

/** A duration for people. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
