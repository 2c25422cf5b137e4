/**
 * Run of machines: sets a scene of several processes, breaks it once or many times, and judges the result.
 *
 * "Answering again" is the longest time in which nobody got a reply, from the fault's beginning on. Where
 * nothing can be answered while the fault lasts, it is counted from its end.
 */
import { eventually, nowMs, pause } from "../bot-process.ts";
import { aimsMs, type FaultReport, type Narrate, seconds, weigh } from "../run-fault.ts";
import { type MachineFault, machineFaults } from "./faults.ts";
import { judgeMachines } from "./judge.ts";
import { findPostgres } from "./postgres-programs.ts";
import {
  find,
  type MachinesOptions,
  type MachinesScene,
  openScene,
  setMachines,
  whole,
} from "./scene.ts";

const warmUpMs = 1_500;
/** How long it is watched after everything is back. */
const coolDownMs = 1_000;
const answerMsMax = 120_000;
const settleMsMax = 90_000;
/** Faults in one scene of a long run; then the next one begins, with another number of processes. */
const faultsPerScene = 25;
/** Between two faults of a scene. */
const pauseMsMax = 1_500;
/** Of the faults that may last longer, so many do. */
const longPart = 0.25;

/** One time that a fault happened. */
interface Stroke {
  readonly fault: MachineFault;
  readonly injectedAtMs: number;
  readonly endedAtMs: number;
  readonly answeredAfterMs: number;
}

/** Plays one fault in a scene of its own. */
export function runMachineFault(
  fault: MachineFault,
  seed: number,
  narrate: Narrate,
): Promise<FaultReport> {
  const play = async (scene: MachinesScene) => [
    await strike(scene, fault, fault.who ?? "sender", fault.lastsMs ?? 0),
  ];
  const { administered = false, machines = 2 } = fault;
  return runScene({ fault, machines, administered, seed, play, narrate });
}

/** Plays `count` faults, of all kinds in turn, at random moments. @returns one report a scene. */
export async function runManyMachineFaults(
  count: number,
  seed: number,
  narrate: Narrate,
): Promise<readonly FaultReport[]> {
  const reports: FaultReport[] = [];
  const strokes: Stroke[] = [];
  const overlapping = machineFaults.filter(({ alone = false }) => !alone);
  for (let done = 0; done < count; done += faultsPerScene) {
    const machines = reports.length % 2 === 0 ? 2 : 3;
    const here = Math.min(faultsPerScene, count - done);
    const play = async (scene: MachinesScene) => {
      const played = await strikeOften(scene, overlapping, here, narrate);
      strokes.push(...played);
      return played;
    };
    const fault = describe(`machines-random-${reports.length + 1}`, here, machines);
    const report = await runScene({ fault, machines, seed: seed + done, play, narrate });
    narrate(`${report.outcome}: ${done + here} of ${count} faults`);
    reports.push(report);
  }
  for (const [{ name }, times] of Map.groupBy(strokes, ({ fault }) => fault)) {
    const worst = Math.max(...times.map(({ answeredAfterMs }) => answeredAfterMs));
    narrate(`${name}: ${times.length} times, answering after at most ${seconds(worst)}`);
  }
  return reports;
}

/** Plays each of these faults once, in random order, in one scene. */
export function runFewMachineFaults(
  faults: readonly MachineFault[],
  { machines, seed }: MachinesOptions,
  narrate: Narrate,
): Promise<FaultReport> {
  const play = (scene: MachinesScene) => strikeOften(scene, faults, faults.length, narrate);
  const fault = describe("machines-few", faults.length, machines);
  return runScene({ fault, machines, seed, play, narrate });
}

function describe(name: string, count: number, machines: number): FaultReport["fault"] {
  return {
    name,
    title: `${count} random faults of ${machines} processes`,
    how: "all kinds in turn, at random moments; longer ones now and then",
    areas: ["endToEnd", "integration"],
    detection: { by: "nothing" },
    aim: "machine",
  };
}

async function strikeOften(
  scene: MachinesScene,
  faults: readonly MachineFault[],
  count: number,
  narrate: Narrate,
): Promise<readonly Stroke[]> {
  const { random } = scene;
  const strokes: Stroke[] = [];
  let ahead: MachineFault[] = [];
  for (let turn = 0; turn < count; turn++) {
    if (ahead.length === 0) ahead = [...faults];
    const [fault] = ahead.splice(Math.floor(random() * ahead.length), 1);
    if (!fault) break;
    await pause(random() * pauseMsMax);
    const who = random() < 0.6 ? "sender" : "other";
    const { lastsMs = 0, lastsMsMax = lastsMs } = fault;
    const long = random() < longPart;
    const stroke = await strike(scene, fault, who, long ? lastsMsMax : lastsMs);
    narrate(`${turn + 1} ${fault.name} (${who}): ${seconds(stroke.answeredAfterMs)}`);
    strokes.push(stroke);
  }
  return strokes;
}

async function strike(
  scene: MachinesScene,
  fault: MachineFault,
  who: "sender" | "other",
  lastsMs: number,
): Promise<Stroke> {
  const { replies } = scene;
  const victim = await find(scene, who);
  const injectedAtMs = nowMs();
  await fault.play({ scene, victim, lastsMs });
  const endedAtMs = nowMs();
  const firstAtMs = await replies.firstAfter(endedAtMs, answerMsMax);
  await whole(scene);
  await pause(coolDownMs);
  const answeredAfterMs =
    fault.aim === "outage" ? firstAtMs - endedAtMs : longestSilence(replies.all, injectedAtMs);
  return { fault, injectedAtMs, endedAtMs, answeredAfterMs };
}

function longestSilence(repliesAtMs: readonly number[], sinceMs: number): number {
  const instants = [sinceMs, ...repliesAtMs.filter((atMs) => atMs >= sinceMs)];
  return Math.max(...instants.map((atMs, index) => (instants[index + 1] ?? atMs) - atMs));
}

interface Run {
  readonly fault: FaultReport["fault"];
  readonly machines: number;
  readonly seed: number;
  readonly administered?: boolean;
  readonly narrate: Narrate;
  play(scene: MachinesScene): Promise<readonly Stroke[]>;
}

/** Never rejects: an error of the run itself is in the report. */
async function runScene({
  administered = false,
  fault,
  machines,
  narrate,
  play,
  seed,
}: Run): Promise<FaultReport> {
  if (!findPostgres()) {
    const reasons = ["PostgreSQL is not installed (Debian's package postgresql)"];
    return { fault, outcome: "skipped", reasons };
  }
  const scene = await setMachines({ machines, seed, administered });
  try {
    const startedAtMs = nowMs();
    await openScene(scene);
    await scene.replies.firstAfter(startedAtMs, answerMsMax);
    await pause(warmUpMs);
    const strokes = await play(scene);
    const problems = await settle(scene);
    const judgement = await judgeMachines(scene);
    narrate(`processes ended: ${describeEnds(scene)}`);
    narrate(`longest wait for a reply ${seconds(judgement.longestWaitMs)}`);
    for (const loss of judgement.losses) narrate(loss);
    problems.push(...judgement.problems);
    return {
      fault,
      ...weighStrokes(strokes, problems),
      recoveredAfterMs: Math.max(...strokes.map(({ answeredAfterMs }) => answeredAfterMs)),
      judgement,
      timeline: drawTimeline(scene, startedAtMs, strokes),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const lastWords = scene.machines.flatMap(({ bot }, index) =>
      bot.lines.slice(-5).map(({ text }) => `process ${index} said: ${text}`),
    );
    return { fault, outcome: "broken", reasons: [reason, ...lastWords] };
  } finally {
    await scene.close();
  }
}

function describeEnds({ machines }: MachinesScene): string {
  const ends = machines.map(({ supervisor }) =>
    supervisor.ends.map(({ code, signal }) => signal ?? `exit ${code}`).join(", "),
  );
  return ends.join(" | ");
}

/** The stroke that took longest, by its aim, stands for all. */
function weighStrokes(strokes: readonly Stroke[], problems: readonly string[]) {
  const part = ({ answeredAfterMs, fault }: Stroke) => answeredAfterMs / aimsMs[fault.aim];
  const [worst] = strokes.toSorted((a, b) => part(b) - part(a));
  return weigh(worst?.fault.aim ?? "machine", worst?.answeredAfterMs ?? 0, problems);
}

/** Lets all work finish, and stops all processes. @returns one sentence for each part that did not. */
async function settle(scene: MachinesScene): Promise<string[]> {
  const { crowd, machines, observer, sandbox } = scene;
  const problems: string[] = [];
  const within = async (what: string, question: () => Promise<boolean>) => {
    await eventually(what, question, settleMsMax).catch((error: Error) => {
      problems.push(error.message);
    });
  };
  await crowd.stop();
  let shopped = false;
  const shopping = crowd.shopped().catch((error: Error) => {
    problems.push(`a shopper failed: ${error.message}`);
  });
  void shopping.then(() => {
    shopped = true;
  });
  await within("every update is confirmed", async () => (await sandbox.queue()).pending === 0);
  await within("every shopper has their goods", async () => shopped);
  await within("the queue is empty", async () => (await observer.countUnfinished()) === 0);
  const codes = await Promise.all(machines.map(({ supervisor }) => supervisor.stop()));
  for (const code of codes) if (code !== 0) problems.push(`a last stop ended with ${code}`);
  return problems;
}

function drawTimeline(
  { machines, replies }: MachinesScene,
  startedAtMs: number,
  strokes: readonly Stroke[],
) {
  const since = (atMs: number) => atMs - startedAtMs;
  const ends = machines.flatMap(({ supervisor }) => supervisor.ends);
  return {
    injectedAtMs: since(Math.min(...strokes.map(({ injectedAtMs }) => injectedAtMs))),
    endedAtMs: since(Math.max(...strokes.map(({ endedAtMs }) => endedAtMs))),
    finishedAtMs: since(nowMs()),
    repliesAtMs: replies.all.map(since),
    exits: ends.map(({ atMs, code, signal }) => ({
      atMs: since(atMs),
      how: signal ?? `exit ${code}`,
    })),
  };
}
