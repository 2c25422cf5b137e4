/** Queue routes: show the queue, pause and resume its pools, run what is delayed. */
import { z } from "zod";
import { notFound, RequestRefusedError } from "../refusal.ts";
import { type Route, route } from "../route.ts";
import * as shapes from "../shapes/queue.ts";

const target = z.strictObject({
  pool: shapes.poolName.optional(),
  type: shapes.messageType.optional(),
});
type Target = z.output<typeof target>;

export const queueRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/message-queue",
    access: "read",
    summary:
      "Messages that wait and that are being worked on, by pool, and counts since the start.",
    data: shapes.messageQueue,
    handle: (_call, { view }) => view.messageQueue(),
  }),
  route({
    method: "get",
    path: "/api/message-queue/delayed",
    access: "read",
    summary: "Messages whose time has not come, the next one first, without their payload.",
    query: z.strictObject({
      type: shapes.messageType.optional(),
      offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
    }),
    data: shapes.delayedList,
    handle: ({ query }, { view }) => view.delayed(query),
  }),
  route({
    method: "post",
    path: "/api/message-queue/delayed/:id/run",
    access: "operate",
    summary: "Ends the delay of one message: it enters its lane now.",
    params: z.strictObject({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }),
    data: shapes.runNow,
    refusals: { 404: "No such message is delayed" },
    audit: ({ params }) => ({ messageId: params.id }),
    handle: async ({ params }, { actions }) => {
      if (await actions.runNow(params.id)) return { messageId: params.id };
      throw notFound(`no message ${params.id} is delayed`);
    },
  }),
  pausing("pause", true, "Pauses a pool: it takes no more messages, also after a restart."),
  pausing("resume", false, "Resumes a paused pool."),
];

function pausing(verb: string, paused: boolean, summary: string): Route {
  return route({
    method: "post",
    path: `/api/message-queue/${verb}`,
    access: "operate",
    summary: `${summary} {pool}, or {type} where a type has a pool of its own (update).`,
    body: target,
    data: shapes.pausing,
    audit: ({ body }) => ({ pool: poolOf(body) }),
    handle: async ({ body }, { actions }) => {
      const pool = poolOf(body);
      await actions.setPaused(pool, paused);
      return { pool, paused };
    },
  });
}

/** Types share pools and a lane keeps its order, so only a type that has a pool of its own can be paused. */
function poolOf({ pool, type }: Target): z.output<typeof shapes.poolName> {
  if (type === "update" && (pool ?? "handling") === "handling") return "handling";
  if (type === undefined && pool !== undefined) return pool;
  throw new RequestRefusedError({
    status: 400,
    code: "INVALID_REQUEST",
    message:
      type === undefined
        ? "body.pool: expected handling, sending or answering"
        : `body.type: ${type} shares the pool sending with others; pause that pool instead`,
    hint: 'Send {"pool": "sending"}, for example.',
  });
}
