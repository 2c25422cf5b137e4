/** Hold shapes: the API's answers about what holds work back. */
import { z } from "zod";
import { type HoldKind, holdKinds } from "../../core/holds.ts";

const kinds = Object.keys(holdKinds) as [HoldKind, ...HoldKind[]];

const hold = z.object({
  id: z.string(),
  kind: z.enum(kinds),
  target: z.enum(["intake", "handling", "sending", "answering"]),
  lane: z.string().optional().describe("The chat that is held; absent when the whole target is"),
  limit: z
    .number()
    .nullable()
    .describe("Messages that may be worked on at a time; null when it sets no such limit"),
  reason: z.string(),
  sinceEpochMs: z.number(),
  untilEpochMs: z.number().nullable().describe("Its latest end, as far as that is known"),
  waitedMs: z.number().describe("How long the oldest work has waited because of it; 0 for none"),
  test: z.string().describe("How it is found out meanwhile whether it is still needed"),
  releasable: z.boolean(),
});

export const holds = z.object({
  holds: z.array(hold).describe("Of chats those that wait longest, at most 100 of each kind"),
});

export const released = z.object({ id: z.string(), released: z.literal(true) });
