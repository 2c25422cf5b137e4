/** Hold routes: show what holds work back, and release it by hand. */
import { z } from "zod";
import { conflict, notFound } from "../refusal.ts";
import { type Route, route } from "../route.ts";
import * as shapes from "../shapes/holds.ts";

export const holdRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/holds",
    access: "read",
    summary: "What holds work back at present: why, since when, until when, and how it is tested.",
    data: shapes.holds,
    handle: (_call, { view }) => view.holds(),
  }),
  route({
    method: "post",
    path: "/api/holds/:id/release",
    access: "operate",
    summary: "Ends a hold by hand.",
    params: z.strictObject({ id: z.string().min(1).max(300) }),
    body: z.strictObject({}),
    data: shapes.released,
    refusals: {
      404: "No such hold is in force",
      409: "Only its own test can end it",
    },
    audit: ({ params }) => ({ hold: params.id }),
    handle: async ({ params }, { actions }) => {
      const result = await actions.releaseHold(params.id);
      if (result === "unknown") throw notFound(`no hold ${params.id} is in force`);
      if (result === "not-releasable") {
        const hint = "It ends by itself as soon as its cause is gone.";
        throw conflict("HOLD_NOT_RELEASABLE", `${params.id} cannot be released by hand`, hint);
      }
      return { id: params.id, released: true as const };
    },
  }),
];
