/** Schedules: random faults, several at a time, for minutes. */
import { nowMs, pause } from "../bot-process.ts";
import type { DrillFault } from "../fault.ts";
import type { Scene } from "../scene.ts";

const atOnceMax = 3;
const pauseMsMax = 3_000;

/** @param faults Only those that may overlap are played. */
export function randomSchedule(minutes: number, faults: readonly DrillFault[]): DrillFault {
  const candidates = faults.filter(({ overlaps }) => overlaps);
  return {
    name: `random-${minutes}-minutes`,
    title: `${minutes} minutes of random overlapping faults`,
    how: `${candidates.length} kinds, up to ${atOnceMax} at a time`,
    areas: ["endToEnd", "integration"],
    detection: { by: "nothing" },
    aim: "outage",
    givesUp: true,
    swallows: true,
    inject: async (scene) => {
      const untilMs = nowMs() + minutes * 60_000;
      const playing = new Set<DrillFault>();
      const lanes = Array.from({ length: atOnceMax }, async () => {
        while (nowMs() < untilMs) {
          await pause(scene.random() * pauseMsMax);
          const idle = candidates.filter((fault) => !playing.has(fault));
          const fault = idle[Math.floor(scene.random() * idle.length)];
          if (!fault) continue;
          playing.add(fault);
          await playOnce(fault, scene);
          playing.delete(fault);
        }
      });
      await Promise.all(lanes);
    },
  };
}

/** Plays a fault. It does nothing when another fault has just ended the process. */
async function playOnce(fault: DrillFault, scene: Scene): Promise<void> {
  await fault.inject(scene).catch(() => {});
  if (!fault.end) return;
  await pause(Math.min(fault.lastsMs ?? 3_000, 5_000));
  await fault.end(scene).catch(() => {});
}
