/** Recorded run: runs an attempt's handler under its recorder, and makes of it the attempt's result. */
import { StorageFullError } from "../../core/errors.ts";
import type { HandlerResult } from "../../core/message-handler.ts";
import type { Recorder } from "./recorder.ts";

/** Milliseconds between two attempts at a message whose files do not fit on the disk. */
const diskFullDelayMs = 5_000;

export async function runRecorded(
  recorder: Recorder,
  handler: () => Promise<unknown>,
): Promise<HandlerResult> {
  try {
    await recorder.run(handler);
    const write = recorder.takeWrite();
    return { kind: "done", enqueue: await recorder.finish(), ...(write && { write }) };
  } catch (error) {
    // The message can do nothing about it, and is not given up for it.
    if (!(error instanceof StorageFullError)) throw error;
    return { kind: "postponed", delayMs: diskFullDelayMs, parkLane: false, error };
  } finally {
    recorder.takeWrite();
    recorder.over();
  }
}
