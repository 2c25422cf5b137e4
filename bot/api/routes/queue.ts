/** Queue routes: what waits, and holding it back. */
import { z } from "zod";
import { RequestRefusedError } from "../refusal.ts";
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
    summary: "What waits and is in hand, by pool, and counts since the start.",
    data: shapes.messageQueue,
    handle: (_call, { view }) => view.messageQueue(),
  }),
  pausing("pause", true, "Takes nothing more in hand in a pool, also after a restart."),
  pausing("resume", false, "Takes up a paused pool again."),
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

/** Types share pools, and a lane keeps its order: only a type alone in its pool can be held back. */
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
