/**
 * Watchdog worker: watches the main thread's heartbeats from a thread of its own.
 *
 *   beating --captureAfterMs without a beat--> stalled: the stack is captured
 *   stalled --a beat--> beating: the stall is reported
 *   stalled --killAfterMs without a beat--> breadcrumb written and synced, SIGKILL
 *
 * A suspended machine looks like a hang, but this thread is suspended with it: when its own turn
 * comes far too late, it starts counting from zero.
 */
import { Session } from "node:inspector";
import { flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import { type Frame, writeBreadcrumb } from "./breadcrumb.ts";

const projectUrl = new URL("../../../", import.meta.url).href;

export interface WatchdogSetup {
  readonly heartbeats: Int32Array;
  readonly directory: string;
  readonly captureAfterMs: number;
  readonly killAfterMs: number;
}

/** A hang that ended by itself. */
export interface Stall {
  readonly forMs: number;
  readonly frames: readonly Frame[];
}

const pollMs = 250;
/** A turn later than this means that the machine was suspended, not that the thread hangs. */
const suspendedMs = 4 * pollMs;
/** A thread inside native code (SQLite, a child process) gives no stack. */
const stackDeadlineMs = 1_000;
const framesMax = 20;

flushCompileCache();
await watch(workerData as WatchdogSetup);

async function watch(setup: WatchdogSetup): Promise<void> {
  const never = new AbortController().signal;
  let seen = Atomics.load(setup.heartbeats, 0);
  let turnedAtMs = systemClock.monotonicMs();
  let silentMs = 0;
  let frames: readonly Frame[] | undefined;
  for (;;) {
    await systemClock.sleep(pollMs, never);
    const nowMs = systemClock.monotonicMs();
    const lateMs = nowMs - turnedAtMs;
    turnedAtMs = nowMs;
    const beats = Atomics.load(setup.heartbeats, 0);
    if (beats !== seen) {
      if (frames) parentPort?.postMessage({ forMs: Math.round(silentMs), frames });
      seen = beats;
      silentMs = 0;
      frames = undefined;
      continue;
    }
    silentMs = lateMs > suspendedMs ? 0 : silentMs + lateMs;
    if (silentMs >= setup.captureAfterMs && !frames) {
      frames = await stackOfMainThread();
      turnedAtMs = systemClock.monotonicMs();
      silentMs += turnedAtMs - nowMs;
    }
    if (silentMs >= setup.killAfterMs) kill(setup.directory, silentMs, frames ?? []);
  }
}

function kill(directory: string, silentMs: number, frames: readonly Frame[]): void {
  const crumb = {
    pid: process.pid,
    atEpochMs: systemClock.epochMs(),
    silentMs: Math.round(silentMs),
    frames,
  };
  try {
    writeBreadcrumb(directory, crumb);
  } catch {
    // A disk that cannot be written must not keep a hung process alive.
  }
  // `process.exit` would end this thread only.
  process.kill(process.pid, "SIGKILL");
}

/**
 * Captures the stack through the inspector, which can interrupt a tight loop or a regular
 * expression.
 *
 * The session is opened only now: an open one makes the process wait for "the debugger" at its
 * exit.
 */
function stackOfMainThread(): Promise<readonly Frame[]> {
  const session = new Session();
  const given = Promise.withResolvers<readonly Frame[]>();
  const urls = new Map<string, string>();
  try {
    session.connectToMainThread();
    session.on("Debugger.scriptParsed", ({ params }) => urls.set(params.scriptId, params.url));
    session.on("Debugger.paused", ({ params }) => {
      const frames = params.callFrames.slice(0, framesMax).map((frame) => ({
        name: frame.functionName || "(anonymous)",
        file: shortened(frame.url || (urls.get(frame.location.scriptId) ?? "")),
        line: frame.location.lineNumber + 1,
      }));
      session.post("Debugger.resume");
      given.resolve(frames);
    });
    session.post("Debugger.enable");
    session.post("Debugger.pause");
  } catch {
    given.resolve([]);
  }
  const inTime = withDeadline(systemClock, stackDeadlineMs, () => given.promise, {
    late: () => [],
  });
  return inTime.finally(() => session.disconnect());
}

/** Returns the path within the project, or the file's name: no path of the machine is recorded. */
function shortened(url: string): string {
  return url.startsWith(projectUrl) ? url.slice(projectUrl.length) : (url.split("/").at(-1) ?? "");
}
