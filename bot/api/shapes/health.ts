/** Health shapes: the API's answers about the bot's health. */
import { z } from "zod";

export const healthName = z.enum(["healthy", "degraded", "unhealthy"]);

export const live = z.object({
  live: z.literal(true),
  uptimeSeconds: z.number().min(0),
});

export const ready = z.object({
  ready: z.boolean(),
  phase: z
    .enum(["starting", "running", "draining", "stopped"])
    .describe("State of the process; only a running one can be ready"),
  reasons: z.array(z.string()).describe("Why it is not ready; empty when it is"),
});

export const health = z.object({
  status: healthName.describe("The worst of all checks"),
  timestamp: z.string().optional(),
  checks: z
    .record(
      z.string(),
      z.looseObject({
        status: healthName,
        duration: z.number().describe("Milliseconds the last check took"),
        reason: z.string().optional(),
        answer: healthName
          .optional()
          .describe("What the last check said; status may follow only after several checks"),
        checkedAt: z.string(),
      }),
    )
    .optional()
    .describe("By probe, with the probe's own figures. Absent without the right to read"),
});

export const healthHistory = z.object({
  probes: z
    .record(
      z.string(),
      z.array(
        z.object({
          atEpochMs: z.number(),
          answer: healthName,
          durationMs: z.number(),
        }),
      ),
    )
    .describe("By probe, its latest answers, oldest first, at most 360"),
});

export const connections = z.object({
  connections: z
    .record(
      z.string(),
      z.object({
        state: z.enum(["connected", "unsteady", "down", "reconnecting"]),
        sinceMs: z.number(),
        attempts: z.number(),
        latencyMs: z.number().nullable(),
        successRate: z.number().nullable().describe("0 to 1"),
        lastError: z
          .object({ code: z.string(), message: z.string(), atEpochMs: z.number() })
          .nullable(),
      }),
    )
    .describe("By name"),
  pool: z.object({
    connected: z.number(),
    running: z.number(),
    pending: z.number(),
    connectionsMax: z.number(),
    route: z.number().describe("The route to Telegram that is in use; 0 is the first"),
  }),
});
