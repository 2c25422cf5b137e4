/**
 * Panel shapes: the API's answers about a module's panels, and what a module may put into one.
 *
 * What a module gives is checked against them, because its author has no other check at run time.
 */
import { z } from "zod";

const text = z.string().max(500);
export const wording = z.union([text, z.strictObject({ en: text, zh: text })]);
const value = z.union([z.number(), wording]).nullable();
const form = z.enum(["text", "count", "money", "instant", "age", "share"]);
const people = z.boolean().optional().describe("Tells who somebody is");

const figure = z.strictObject({
  label: wording,
  value,
  form: form.optional(),
  people,
});

const chart = z.strictObject({
  title: wording,
  form: z.enum(["count", "money"]).optional(),
  per: z.enum(["hour", "day"]).describe("What a bar stands for, in UTC"),
  bars: z.array(z.strictObject({ atEpochMs: z.number(), value: z.number() })).max(400),
});

const table = z.strictObject({
  title: wording,
  columns: z
    .array(z.strictObject({ label: wording, form: form.optional(), people }))
    .min(1)
    .max(20),
  rows: z.array(z.array(value).max(20)).max(200),
  total: z.number().optional().describe("How many rows there are, where not all are here"),
  empty: wording.optional(),
});

/** The shape of a panel as a module gives it. */
export const panelContent = z.strictObject({
  currency: z
    .strictObject({ code: z.string().regex(/^[A-Z]{3}$/), exponent: z.int().min(0).max(4) })
    .optional(),
  figures: z.array(figure).max(40).optional(),
  charts: z.array(chart).max(10).optional(),
  tables: z.array(table).max(10).optional(),
});

/** The shape of a panel as a caller gets it. */
export const panel = z.object({
  name: z.string(),
  title: wording,
  withheld: z.boolean().describe("Whether what is about people was left out of this answer"),
  ...panelContent.shape,
});

export const panelList = z.object({
  panels: z.array(z.object({ name: z.string(), title: wording })),
});
