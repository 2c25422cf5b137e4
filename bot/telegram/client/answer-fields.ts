/**
 * Answer fields: reads the fields of Telegram's answers that decide something, with types and bounds.
 *
 * No value from outside is used unchecked: one of the wrong type, or out of bounds, counts as missing,
 * and the answer is judged by the rest.
 */
import { z } from "zod";

/** Bounds of a waiting time, in seconds. A bot has reported 73,414 (telegraf/telegraf#1390). */
const retryAfterSeconds = { min: 1, max: 86_400 } as const;

/**
 * The waiting time of a 429, in milliseconds: 1 s to a day; 1 s for a value that is no positive number.
 *
 * @param value Seconds, as a number or a decimal text.
 */
export function readRetryAfterMs(value: unknown): number {
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  const { max, min } = retryAfterSeconds;
  if (typeof seconds !== "number" || !(seconds > 0)) return min * 1_000;
  return Math.ceil(Math.min(max, Math.max(min, seconds)) * 1_000);
}

const refusalFields = z.object({
  ok: z.literal(false),
  error_code: z.int().min(100).max(599),
  description: z.string().catch(""),
  parameters: z
    .object({
      retry_after: z.unknown().optional(),
      migrate_to_chat_id: z.int().optional().catch(undefined),
    })
    .catch({ retry_after: undefined, migrate_to_chat_id: undefined })
    .default({ retry_after: undefined, migrate_to_chat_id: undefined }),
});

export type RefusalFields = z.infer<typeof refusalFields>;

/** @returns `undefined` when the value is no refusal of a Bot API server. */
export function readRefusal(value: unknown): RefusalFields | undefined {
  return refusalFields.safeParse(value).data;
}

const botInfoFields = z.looseObject({ id: z.int().positive(), username: z.string().min(1) });

/** Whether the answer of `getMe` tells who the bot is. Source: Bot API, User. */
export function isBotInfo(value: unknown): boolean {
  return botInfoFields.safeParse(value).success;
}

const webhookFields = z
  .object({
    url: z.string().catch(""),
    pending_update_count: z.int().nonnegative().catch(0),
    last_error_date: z.int().nonnegative().max(253_402_300_799).catch(0),
    last_error_message: z.string().max(1_000).optional().catch(undefined),
  })
  .catch({ url: "", pending_update_count: 0, last_error_date: 0, last_error_message: undefined });

/** The fields used from `WebhookInfo`. Source: Bot API, getWebhookInfo. */
export function readWebhookInfo(value: unknown): z.infer<typeof webhookFields> {
  return webhookFields.parse(value);
}
