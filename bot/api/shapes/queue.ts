/** Queue shapes: the API's answers about waiting messages and dead letters. */
import { z } from "zod";
import { deadReasons, messageTypes, pools, priorities } from "../../core/message.ts";

export const poolName = z.enum(pools);
export const messageType = z.enum(messageTypes);
export const deadReason = z.enum(deadReasons);

const poolFigures = z.object({
  waiting: z.number(),
  inHand: z.number(),
  lanes: z.number(),
  delayed: z.number().describe("Messages whose time has not come; not among those that wait"),
  oldestAgeMs: z.number(),
  paused: z.boolean(),
});

export const messageQueue = z.object({
  pools: z.object({ handling: poolFigures, sending: poolFigures, answering: poolFigures }),
  deadLetters: z.number(),
  dedupeKeys: z.number(),
  lengthMax: z.number().describe("Messages that may wait before the bot stops taking in updates"),
  counts: z
    .object({
      queued: z.number(),
      duplicates: z.number(),
      done: z.number(),
      retried: z.number(),
      postponed: z.number(),
      dead: z.number(),
      expired: z.number(),
      recovered: z.number(),
    })
    .describe("Since the start"),
});

export const pausing = z.object({ pool: poolName, paused: z.boolean() });

const delayedMessage = z.object({
  id: z.number(),
  type: messageType,
  pool: poolName,
  lane: z.string(),
  key: z
    .string()
    .optional()
    .describe("schedule:NAME, later:LANE:KEY or outbox:KEY; none without a key"),
  createdAtEpochMs: z.number(),
  dueAtEpochMs: z.number(),
});

export const delayedList = z.object({
  total: z.number().describe("Delayed messages of every type"),
  offset: z.number(),
  limit: z.number(),
  delayed: z.array(delayedMessage).describe("The next one first"),
});

export const runNow = z.object({ messageId: z.number() });

const errorRecord = z.object({ code: z.string(), message: z.string(), atEpochMs: z.number() });

export const deadLetter = z.object({
  id: z.number(),
  type: messageType,
  pool: poolName,
  lane: z.string(),
  priority: z.enum(priorities),
  createdAtEpochMs: z.number(),
  diedAtEpochMs: z.number(),
  reason: deadReason,
  attempts: z.number(),
  deaths: z.number(),
  errors: z.array(errorRecord).describe("The latest last, at most 10"),
});

export const shownDeadLetter = deadLetter.extend({
  payload: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("May hold people's words; only with the right to operate"),
});

export const deadLetterList = z.object({
  total: z.number().describe("Dead letters that match the filter"),
  offset: z.number(),
  limit: z.number(),
  deadLetters: z.array(deadLetter).describe("Newest first"),
});

export const requeued = z.object({ deadLetterId: z.number(), messageId: z.number() });
export const deleted = z.object({ deadLetterId: z.number() });

export const bulkResult = z.object({
  done: z.number().describe("Dead letters that were changed"),
  missing: z.number().describe("Dead letters that no longer exist"),
  remaining: z.number().describe("Dead letters that still match the filter; 0 with ids"),
});
