/** Dead letter routes: show messages that were given up, put them back, remove them. */
import { z } from "zod";
import { notFound } from "../refusal.ts";
import { type Bot, type Route, route } from "../route.ts";
import * as shapes from "../shapes/queue.ts";
import type { MonitoringActions } from "../view-and-actions.ts";

const idsMax = 1_000;
/** Dead letters that are handled together, so that they share a commit. */
const batchSize = 100;

const filter = {
  type: shapes.messageType.optional(),
  reason: shapes.deadReason.optional(),
  code: z.string().min(1).max(100).optional().describe("Code of the latest error"),
};
const id = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
const one = z.strictObject({ id });
const many = z
  .union([
    z.strictObject({ ids: z.array(z.number().int().min(1)).min(1).max(idsMax) }),
    z.strictObject({ filter: z.strictObject(filter) }),
  ])
  .describe(`ids, or a filter ({} is all of them); at most ${idsMax} a call, the oldest first`);
type Many = z.output<typeof many>;

export const deadLetterRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/dead-letters",
    access: "read",
    summary: "Dead letters, newest first, without their payload.",
    query: z.strictObject({
      ...filter,
      offset: z.coerce.number().int().min(0).max(10_000_000).default(0),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
    }),
    data: shapes.deadLetterList,
    handle: ({ query }, { view }) => view.deadLetters(query),
  }),
  inBulk("requeue", "Puts dead letters back into the queue.", async (letter, { requeue }) => {
    return (await requeue(letter)) !== undefined;
  }),
  inBulk("delete", "Removes dead letters for good.", (letter, { deleteDeadLetter }) =>
    deleteDeadLetter(letter),
  ),
  route({
    method: "get",
    path: "/api/dead-letters/:id",
    access: "read",
    summary: "One dead letter; its payload only with the right to operate.",
    params: one,
    data: shapes.shownDeadLetter,
    refusals: { 404: "There is no such dead letter" },
    audit: ({ params }) => ({ deadLetterId: params.id }),
    handle: async ({ params, scope }, { view }) => {
      const letter = await view.deadLetter(params.id);
      if (!letter) throw notFound(`there is no dead letter ${params.id}`);
      const { payload, ...rest } = letter;
      return scope === "operate" && payload ? { ...rest, payload } : rest;
    },
  }),
  route({
    method: "post",
    path: "/api/dead-letters/:id/requeue",
    access: "operate",
    summary: "Puts one dead letter back at the end of its lane.",
    params: one,
    data: shapes.requeued,
    refusals: { 404: "There is no such dead letter" },
    audit: ({ params }) => ({ deadLetterId: params.id }),
    handle: async ({ params }, { actions }) => {
      const messageId = await actions.requeue(params.id);
      if (messageId === undefined) throw notFound(`there is no dead letter ${params.id}`);
      return { deadLetterId: params.id, messageId };
    },
  }),
  route({
    method: "delete",
    path: "/api/dead-letters/:id",
    access: "operate",
    summary: "Removes one dead letter for good.",
    params: one,
    data: shapes.deleted,
    refusals: { 404: "There is no such dead letter" },
    audit: ({ params }) => ({ deadLetterId: params.id }),
    handle: async ({ params }, { actions }) => {
      const found = await actions.deleteDeadLetter(params.id);
      if (!found) throw notFound(`there is no dead letter ${params.id}`);
      return { deadLetterId: params.id };
    },
  }),
];

function inBulk(
  verb: string,
  summary: string,
  act: (id: number, actions: MonitoringActions) => Promise<boolean>,
): Route {
  return route({
    method: "post",
    path: `/api/dead-letters/${verb}`,
    access: "operate",
    summary: `${summary} Chosen by ids or a filter, at most ${idsMax} a call, the oldest first.`,
    body: many,
    data: shapes.bulkResult,
    withinMs: 30_000,
    audit: ({ body }) => ("ids" in body ? { ids: body.ids.length } : { ...defined(body.filter) }),
    handle: async ({ body }, bot) => {
      const { ids, total } = await find(body, bot);
      let done = 0;
      for (let start = 0; start < ids.length; start += batchSize) {
        const batch = ids.slice(start, start + batchSize);
        const results = await Promise.all(batch.map((letter) => act(letter, bot.actions)));
        done += results.filter(Boolean).length;
      }
      return { done, missing: ids.length - done, remaining: total - ids.length };
    },
  });
}

/** Oldest first, so that each lane gets its messages back in their order. */
async function find(wanted: Many, { view }: Bot) {
  if ("ids" in wanted) {
    const ids = [...new Set(wanted.ids)].sort((one, other) => one - other);
    return { ids, total: ids.length };
  }
  const { total } = await view.deadLetters({ ...wanted.filter, offset: 0, limit: 1 });
  const offset = Math.max(0, total - idsMax);
  const { deadLetters } = await view.deadLetters({ ...wanted.filter, offset, limit: idsMax });
  return { ids: deadLetters.map((letter) => letter.id).reverse(), total };
}

function defined(facts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
