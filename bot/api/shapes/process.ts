/** Process shapes: the API's answers about the process, its figures and its history. */
import { z } from "zod";
import { roles } from "../../core/roles.ts";
import { forEveryColumn } from "../../core/series.ts";

const restartReason = z.object({ type: z.string(), detail: z.string().optional() });

const processFigures = z.object({
  cpuPercent: z.number().describe("Percent of one processor"),
  rssBytes: z.number(),
  memoryLimitBytes: z.number(),
  cpuLimitPercent: z.number(),
  cpuHighForMs: z.number(),
  loopDelayMs: z.number().describe("Event loop's delay, 99th percentile of 5 s"),
  leak: z.object({
    kind: z.enum(["unknown", "steady", "growing", "leaking"]),
    hoursToLimit: z.number().optional(),
  }),
  uptimeMs: z.number(),
  restartRequested: restartReason.optional(),
});

const component = z.object({
  name: z.string(),
  state: z.enum(["alive", "stuck", "restarting"]),
  restartable: z.boolean(),
  restarts: z.number(),
  overdueMs: z.number().nullable(),
});

export const incident = z.object({
  id: z.number(),
  subject: z.string(),
  trouble: z.string(),
  cause: z.string(),
  openedAtEpochMs: z.number(),
  closedAtEpochMs: z.number().optional().describe("Absent while it is open"),
  measures: z.array(z.object({ measure: z.string(), times: z.number() })),
  times: z.number(),
});

export const errorGroup = z.object({
  fingerprint: z.string(),
  code: z.string(),
  message: z.string(),
  event: z.string(),
  count: z.number(),
  firstAtEpochMs: z.number(),
  lastAtEpochMs: z.number(),
  perHour: z.array(z.number()).describe("Counts of the last 24 hours, the current hour last"),
});

export const restartRecord = z.object({
  startedAtEpochMs: z.number(),
  pid: z.number(),
  version: z.string(),
  end: z
    .object({
      atEpochMs: z.number(),
      cause: z.string(),
      detail: z.string().optional(),
      clean: z.boolean(),
    })
    .optional()
    .describe("Absent while the process runs"),
});

export const status = z.object({
  uptimeSeconds: z.number(),
  profile: z.enum(["development", "production", "test"]),
  version: z.string(),
  node: z.string(),
  pid: z.number(),
  memory: z.object({
    rss: z.number(),
    heapTotal: z.number(),
    heapUsed: z.number(),
    external: z.number(),
    arrayBuffers: z.number(),
  }),
  process: processFigures,
  components: z.array(component),
  intake: z.object({
    state: z.enum([
      "starting",
      "polling",
      "listening",
      "backing-off",
      "back-pressure",
      "standby",
      "held",
      "stopped",
    ]),
    reason: z.string().optional(),
    sinceLastHeardMs: z.number().optional(),
    failuresInARow: z.number(),
  }),
  breaker: z.enum(["closed", "open", "half-open"]),
  safeMode: z.object({
    state: z.enum(["off", "careful", "watching"]),
    deaths: z.number(),
    concurrency: z.number().describe("Updates that may be handled at a time"),
  }),
  incidents: z.array(incident).describe("Newest first, at most 20; more at /api/incidents"),
  errors: z.array(errorGroup).describe("Latest first, at most 20; more at /api/errors"),
  restarts: z.array(restartRecord).describe("Newest first, at most 20; more at /api/restarts"),
});

export const restartAsked = z.object({ number: z.number() });

export const processes = z.object({
  processes: z
    .array(
      z.object({
        number: z.number().describe("0 where the process works alone"),
        host: z.string(),
        pid: z.number(),
        version: z.string(),
        startedAtEpochMs: z.number(),
        beatAtEpochMs: z.number().describe("Its latest commit"),
        state: z.enum(["alive", "ended", "lost"]),
        self: z.boolean().describe("Whether it is the one that answers"),
        roles: z
          .array(z.object({ role: z.enum(roles), sinceEpochMs: z.number().optional() }))
          .describe("What it does for all"),
        health: z.enum(["healthy", "degraded", "unhealthy", "unknown"]).optional(),
        monitoringUrl: z.string().optional().describe("As it is reached on its own machine"),
      }),
    )
    .describe("Those that live, and those that ended within the last hour, the newest first"),
});

export const incidents = z.object({
  open: z.number(),
  incidents: z.array(incident).describe("Newest first"),
});
export const errors = z.object({ groups: z.array(errorGroup).describe("Latest first") });
export const restarts = z.object({ restarts: z.array(restartRecord).describe("Newest first") });

const spread = z
  .object({ count: z.number(), p50: z.number(), p95: z.number(), p99: z.number() })
  .describe("Milliseconds from queued to done, of the last minute; 0 without any");

export const metrics = z.object({
  uptimeSeconds: z.number(),
  process: z.object({
    pid: z.number(),
    rssBytes: z.number(),
    heapUsedBytes: z.number(),
    heapTotalBytes: z.number(),
    externalBytes: z.number(),
    cpuPercent: z.number(),
    loopDelayMs: z.number(),
  }),
  queue: z.object({
    waiting: z.number(),
    inHand: z.number(),
    oldestAgeMs: z.number(),
    deadLetters: z.number(),
    lengthMax: z.number(),
  }),
  throughput: z
    .object({
      receivedPerSecond: z.number(),
      handledPerSecond: z.number(),
      sentPerSecond: z.number(),
    })
    .describe("Means of the last minute"),
  latency: z.object({ handling: spread, sending: spread }),
});

/** The lines of a chart, each with one value a point, `null` where it is not known. */
const column = z.array(z.number().nullable());
export const series = z.object({
  everyMs: z.number().describe("Milliseconds between two points"),
  atEpochMs: z.array(z.number()).describe("Instants of the points, oldest first; the x axis"),
  columns: z.object(forEveryColumn(() => column)),
  marks: z
    .array(
      z.object({
        atEpochMs: z.number(),
        kind: z.enum(["restart", "incident", "breaker"]),
        label: z.string(),
      }),
    )
    .describe("Events in between, oldest first, at most 200"),
});

export const logLine = z.looseObject({
  at: z.string(),
  level: z.enum(["error", "warn", "info", "debug"]),
  event: z.string(),
});
export const logs = z.object({ level: z.string(), lines: z.array(logLine) });

export const restarting = z.object({
  id: z.string().describe("Written into the log and into the record of the restart"),
  what: z.string().describe("process, or the component's name"),
  begun: z.literal(true).describe("The restart has begun; it ends after this answer"),
});
export const logLevel = z.object({ level: z.enum(["error", "warn", "info", "debug"]) });
export const backup = z.object({
  file: z.string(),
  bytes: z.number(),
  durationMs: z.number(),
});
export const keyRotation = z.object({
  keyId: z
    .number()
    .describe("Number of the new key; several processes use it as soon as each of them has it"),
});
