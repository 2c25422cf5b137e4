/** Log probe: whether log lines reach the disk. */
import type { Probe } from "../contracts/component.ts";

export function logProbe(look: () => { fileWritable: boolean; consoleDrops: number }): Probe {
  return {
    name: "log",
    check: async () => {
      const { consoleDrops, fileWritable } = look();
      const figures = { fileWritable, consoleDrops };
      if (fileWritable) return { status: "healthy", figures };
      const reason = "the log file cannot be written; important lines go to stderr";
      return { status: "degraded", reason, figures };
    },
  };
}
