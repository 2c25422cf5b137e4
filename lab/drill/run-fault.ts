/**
 * Run of a fault: sets a scene, breaks it, waits until the bot replies again, and judges the result.
 *
 * Detection and recovery are measured from outside: by the lines of the log, the exits that the
 * supervisor sees, and the sends that the sandbox executes.
 */
import { availableParallelism, loadavg } from "node:os";
import { eventually, nowMs, pause } from "./bot-process.ts";
import type { Aim, Described, DrillFault } from "./fault.ts";
import { type Judgement, judge } from "./judge.ts";
import { type Scene, type SceneDefaults, setScene } from "./scene.ts";
import { whyMissing } from "./tools.ts";
import { Watch } from "./watch.ts";

/** Milliseconds within which the bot must reply again, by kind of fault. */
export const aimsMs: Readonly<Record<Aim, number>> = {
  hang: 20_000,
  machine: 12_000,
  outage: 5_000,
  kill: 2_000,
};

/** The result of one fault. Instants are milliseconds since the scene's beginning. */
export interface FaultReport {
  readonly fault: Described;
  readonly outcome: "held" | "broken" | "skipped";
  /** Reasons for a skip, or one sentence for each broken promise. */
  readonly reasons: readonly string[];
  /** One sentence when the bot replied later than its aim. */
  readonly late?: string;
  /** One sentence when the machine was too busy for times to mean anything. */
  readonly busy?: string;
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
  /** Instants at which sends took effect. */
  readonly repliesAtMs: readonly number[];
  readonly exits: readonly { readonly atMs: number; readonly how: string }[];
}

export type Narrate = (line: string) => void;

const warmUpMs = 1_000;
const defaultLastsMs = 3_000;
const noticeMsMax = 60_000;
const recoverMsMax = 120_000;
const settleMsMax = 90_000;

/** Runs one fault. Never rejects: an error of the fault itself is in the report. */
export async function runFault(
  fault: DrillFault,
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

async function play(fault: DrillFault, scene: Scene, narrate: Narrate): Promise<FaultReport> {
  const course = await breakAndMend(fault, scene, narrate);
  await fault.afterwards?.(scene);
  const leaves = fault.leaves ?? 0;
  const problems = [...(await settle(scene, leaves)), ...((await fault.check?.(scene)) ?? [])];
  const { deafens, swallows } = fault;
  const { ends } = scene.supervisor;
  const judgement = await judge(scene, {
    drained: leaves === 0,
    ends: deafens ? deafFrom(course.injectedAtMs, ends) : ends,
    swallowed: swallows ? [course.injectedAtMs, course.overAtMs] : undefined,
  });
  problems.push(...judgement.problems);
  const { detectedAtMs, injectedAtMs, recoveredAfterMs } = course;
  if (judgement.givenUp > 0 && !fault.givesUp) {
    problems.push(`${judgement.givenUp} messages were given up`);
  }
  const noticeable = fault.detection.by !== "nothing";
  if (noticeable && detectedAtMs === undefined) problems.push("it was not noticed");
  return {
    fault,
    ...weigh(fault.aim, recoveredAfterMs, problems),
    ...(detectedAtMs !== undefined && { detectedAfterMs: detectedAtMs - injectedAtMs }),
    recoveredAfterMs,
    judgement,
    timeline: drawTimeline(scene, course),
  };
}

/** Before it falls deaf, a process may have read an answer and not have committed it. */
const uncommittedMs = 1_000;

/**
 * The same ends, each after a process that was deaf from the injection on, or from its start when that
 * was later. How long one thrashes or hangs before it dies is for the machine to say.
 */
export function deafFrom<End extends { readonly atMs: number }>(
  injectedAtMs: number,
  ends: readonly End[],
): readonly (End & { readonly deafMs?: number })[] {
  return ends.map((end, index) => {
    const deafMs = end.atMs - Math.max(injectedAtMs, ends[index - 1]?.atMs ?? 0);
    return deafMs > 0 ? { ...end, deafMs: deafMs + uncommittedMs } : end;
  });
}

/** The outcome of a fault, by its broken promises and by the time it took. */
export function weigh(aim: Aim, recoveredAfterMs: number, problems: readonly string[]) {
  const busy = isMachineBusy();
  const late =
    recoveredAfterMs > aimsMs[aim] &&
    `answering took ${seconds(recoveredAfterMs)}, aim ${seconds(aimsMs[aim])}${busy ? ` (not judged: ${busy})` : ""}`;
  return {
    outcome: problems.length === 0 && (!late || busy) ? ("held" as const) : ("broken" as const),
    reasons: problems,
    ...(late && { late }),
    ...(busy && { busy }),
  };
}

/** Load per processor above which times are not judged; a drill alone causes half of it. */
const busyLoad = 3;

function isMachineBusy(): string | undefined {
  const [load = 0] = loadavg();
  const processors = availableParallelism();
  return load > busyLoad * processors
    ? `load ${load.toFixed(0)} on ${processors} processors`
    : undefined;
}

/** The instants of a run, by the drill's clock. */
interface Course {
  readonly startedAtMs: number;
  readonly injectedAtMs: number;
  readonly overAtMs: number;
  readonly detectedAtMs: number | undefined;
  readonly recoveredAtMs: number;
  readonly recoveredAfterMs: number;
}

async function breakAndMend(fault: DrillFault, scene: Scene, narrate: Narrate): Promise<Course> {
  const { replies, bot, crowd, supervisor } = scene;
  const startedAtMs = nowMs();
  supervisor.start();
  await bot.monitoringUrl();
  replies.start();
  crowd.start();
  await replies.firstAfter(startedAtMs, recoverMsMax);
  await pause(warmUpMs);

  const watch = new Watch(fault.detection, scene);
  const injectedAtMs = nowMs();
  await fault.inject(scene);
  narrate("broken");
  if (fault.end) {
    await Promise.all([pause(fault.lastsMs ?? defaultLastsMs), watch.noticed(noticeMsMax)]);
    await fault.end(scene);
    narrate("mended");
  }
  const endedAtMs = nowMs();
  const detectedAtMs = await watch.noticed(noticeMsMax);
  watch.stop();
  if (detectedAtMs !== undefined) narrate(`noticed after ${seconds(detectedAtMs - injectedAtMs)}`);

  // When the process's end is the sign of the fault, the fault is over only then.
  const byExit = !fault.end && fault.detection.by === "exit";
  const overAtMs = byExit ? Math.max(endedAtMs, detectedAtMs ?? 0) : endedAtMs;
  const recoveredAtMs = await replies.firstAfter(overAtMs, recoverMsMax);
  const recoveredAfterMs = recoveredAtMs - (fault.aim === "hang" ? injectedAtMs : overAtMs);
  narrate(`answering after ${seconds(recoveredAfterMs)}`);
  return { startedAtMs, injectedAtMs, overAtMs, detectedAtMs, recoveredAtMs, recoveredAfterMs };
}

function drawTimeline({ replies, supervisor }: Scene, course: Course): Timeline {
  const since = (atMs: number) => atMs - course.startedAtMs;
  const { detectedAtMs, injectedAtMs, overAtMs, recoveredAtMs } = course;
  return {
    injectedAtMs: since(injectedAtMs),
    endedAtMs: since(overAtMs),
    ...(detectedAtMs !== undefined && { detectedAtMs: since(detectedAtMs) }),
    recoveredAtMs: since(recoveredAtMs),
    finishedAtMs: since(nowMs()),
    repliesAtMs: replies.all.map(since),
    exits: supervisor.ends.map(({ atMs, code, signal }) => ({
      atMs: since(atMs),
      how: signal ?? `exit ${code}`,
    })),
  };
}

/** Lets all work finish, and stops the bot. @returns one sentence for each part that did not finish. */
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
  const late = new Promise<string>((resolve) => {
    // Most shoppers finish in time; the others must not hold up the drill's end.
    setTimeout(() => resolve("a shopper is still waiting"), settleMsMax).unref();
  });
  const waits = await Promise.race([crowd.shopped(), late]);
  if (waits !== undefined) problems.push(waits);
  await within("the queue is empty", async () => (await countUnfinished(scene)) <= leaves);
  const code = await supervisor.stop();
  if (code !== 0) problems.push(`the last stop ended with ${code}`);
  return problems;
}

/** Messages that wait or are claimed; infinite while the API does not answer. */
async function countUnfinished({ bot }: Scene): Promise<number> {
  const queue = await bot.ask<{
    pools: Record<string, { waiting: number; inHand: number }>;
  }>("/api/message-queue");
  if (!queue) return Number.POSITIVE_INFINITY;
  return Object.values(queue.pools).reduce((sum, pool) => sum + pool.waiting + pool.inHand, 0);
}

/** A duration as people read it. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
