/**
 * Memory return: decides when garbage is collected so that memory goes back to the machine.
 *
 * V8 collects when it needs room, and an idle process needs none: what a start or a burst has taken
 * stays taken for good. Measured on Node.js 24: a start leaves 30 MB, a burst more than 100; one
 * thorough collection gives them back, and stops the main thread for about 0.1 s. So it waits for calm,
 * unless the memory limit would end the process otherwise.
 */

/** The facts kept from one sample to the next. */
export interface ReturnState {
  /** Samples in a row without much work. */
  readonly calmSamples: number;
  /** Resident bytes after the latest collection, as the sample after it found them; 0 before. */
  readonly keptBytes: number;
  /** Whether the latest sample led to a collection. */
  readonly collected: boolean;
}

export const nothingReturned: ReturnState = { calmSamples: 0, keptBytes: 0, collected: false };

/** Percent of a processor below which a process is calm: a pause of 0.1 s then delays nobody much. */
const calmCpuPercent = 10;
const calmSamplesMin = 3;
/** Growth since the latest collection that makes another one worth its pause. */
const worthBytes = 16 * 2 ** 20;

/** @param overLimit whether this sample is the first in a row above the memory limit. */
export function decideReturn(
  { calmSamples: calmBefore, collected, keptBytes: keptBefore }: ReturnState,
  { cpuPercent, rssBytes }: { readonly cpuPercent: number; readonly rssBytes: number },
  overLimit: boolean,
): ReturnState {
  const keptBytes = collected ? rssBytes : keptBefore;
  const calmSamples = cpuPercent < calmCpuPercent ? calmBefore + 1 : 0;
  const calm = calmSamples >= calmSamplesMin && rssBytes - keptBytes >= worthBytes;
  return { calmSamples, keptBytes, collected: calm || overLimit };
}
