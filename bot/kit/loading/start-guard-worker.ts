/** Start guard worker: waits, and then ends the process through the inspector; see start-guard.ts. */
import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { flushCompileCache } from "node:module";
import { workerData } from "node:worker_threads";
import { systemClock } from "../../core/clock.ts";
import { exitCode } from "../../core/exit-code.ts";

export interface StartGuardSetup {
  readonly said: string;
  readonly afterMs: number;
}

/**
 * A thread inside native code cannot be reached, and is killed after this time. On a machine that is busy, one
 * that can be reached needs more than a second, and a kill would start it again and again.
 */
const reachMsMax = 5_000;
const never = new AbortController().signal;
const standardError = 2;

flushCompileCache();
const { afterMs, said } = workerData as StartGuardSetup;
await systemClock.sleep(afterMs, never);
exitFromMainThread();
await systemClock.sleep(reachMsMax, never);
writeSync(standardError, `${said}\n`);
process.kill(process.pid, "SIGKILL");

/** Interrupts the main thread wherever it is, and lets it say where that is. */
function exitFromMainThread(): void {
  const session = new Session();
  const urls = new Map<string, string>();
  session.connectToMainThread();
  session.on("Debugger.scriptParsed", ({ params }) => urls.set(params.scriptId, params.url));
  session.on("Debugger.paused", ({ params }) => {
    const frames = params.callFrames.map(({ location, url }) => ({
      at: `${url || urls.get(location.scriptId) || "?"}:${location.lineNumber + 1}`,
    }));
    const own = frames.find(({ at }) => at.startsWith("file:")) ?? frames[0];
    writeSync(standardError, `${said} It is at ${own?.at ?? "an unknown place"}.\n`);
    session.post("Debugger.evaluateOnCallFrame", {
      callFrameId: params.callFrames[0]?.callFrameId ?? "",
      expression: `process.reallyExit(${exitCode.configuration})`,
    });
  });
  session.post("Debugger.enable");
  session.post("Debugger.pause");
}
