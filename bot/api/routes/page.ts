/** Page routes: the dashboard and the OpenAPI document. */
import { z } from "zod";
import { readPage, readPageFile } from "../page.ts";
import { notFound } from "../refusal.ts";
import { type Route, rawRoute } from "../route.ts";

export const pageRoutes: readonly Route[] = [
  rawRoute({
    method: "get",
    path: "/",
    access: "anyone",
    summary: "The dashboard.",
    contentType: "text/html; charset=utf-8",
    respond: async (_call, _bot, response) => {
      response.send(await readPage());
    },
  }),
  rawRoute({
    method: "get",
    path: "/assets/:name",
    access: "anyone",
    summary: "A file of the dashboard.",
    params: z.strictObject({ name: z.string().max(100) }),
    contentType: "*/*",
    refusals: { 404: "There is no such file" },
    respond: async ({ params }, _bot, response) => {
      const file = await readPageFile(params.name);
      if (!file) throw notFound("there is no such file");
      response.type(file.contentType).send(file.bytes);
    },
  }),
  rawRoute({
    method: "get",
    path: "/api/openapi.json",
    access: "read",
    summary: "This document: every address, the right it needs, its input and its answers.",
    contentType: "application/json; charset=utf-8",
    respond: (_call, { document }, response) => {
      response.send(JSON.stringify(document));
    },
  }),
];
