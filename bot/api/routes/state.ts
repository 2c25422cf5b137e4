/** State routes: the process, its figures, its events and its history. */
import { z } from "zod";
import { type Route, rawRoute, route } from "../route.ts";
import * as shapes from "../shapes/process.ts";

const latest = (limitMax: number) =>
  z.strictObject({ limit: z.coerce.number().int().min(1).max(limitMax).default(100) });

export const stateRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/status",
    access: "read",
    summary:
      "The process, its components, intake, safe mode, and the latest incidents, errors and restarts.",
    data: shapes.status,
    handle: (_call, { view }) => view.status(),
  }),
  route({
    method: "get",
    path: "/api/metrics",
    access: "read",
    summary: "Figures of process, queue, throughput and latency. For Prometheus see /metrics.",
    data: shapes.metrics,
    handle: (_call, { view }) => view.metrics(),
  }),
  rawRoute({
    method: "get",
    path: "/metrics",
    access: "read",
    summary: "All figures in Prometheus' text format.",
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    respond: async (_call, { view }, response) => {
      response.send(await view.prometheus());
    },
  }),
  route({
    method: "get",
    path: "/api/series",
    access: "read",
    summary: "The last hour for charts: a point every few seconds, and the events in between.",
    query: z.strictObject({ sinceEpochMs: z.coerce.number().min(0).default(0) }),
    data: shapes.series,
    handle: ({ query }, { view }) => view.series(query.sinceEpochMs),
  }),
  rawRoute({
    method: "get",
    path: "/api/events",
    access: "read",
    summary:
      "Events as they happen (server-sent events): fact {atEpochMs, type, …}, sample (one point of /api/series), log (one line of /api/logs). Send the last id as Last-Event-ID to miss nothing.",
    refusals: { 503: "Ten clients are following already" },
    contentType: "text/event-stream; charset=utf-8",
    respond: ({ header }, { stream }, response) => {
      stream.connect(response, header("last-event-id"));
    },
  }),
  route({
    method: "get",
    path: "/api/errors",
    access: "read",
    summary: "Errors by kind, with their trend.",
    query: latest(500),
    data: shapes.errors,
    handle: ({ query }, { view }) => view.errors(query.limit),
  }),
  route({
    method: "get",
    path: "/api/incidents",
    access: "read",
    summary: "Incidents: what went wrong, what was done about it, and how long it lasted.",
    query: latest(500),
    data: shapes.incidents,
    handle: ({ query }, { view }) => view.incidents(query.limit),
  }),
  route({
    method: "get",
    path: "/api/restarts",
    access: "read",
    summary: "Every start of the bot, and how and why it ended.",
    query: latest(500),
    data: shapes.restarts,
    handle: ({ query }, { view }) => view.restarts(query.limit),
  }),
  route({
    method: "get",
    path: "/api/processes",
    access: "read",
    summary: "The processes that share the database, and what each does for all.",
    data: shapes.processes,
    handle: (_call, { view }) => view.processes(),
  }),
  route({
    method: "get",
    path: "/api/logs",
    access: "read",
    summary: "The latest warnings and errors of the log.",
    query: latest(1_000),
    data: shapes.logs,
    handle: ({ query }, { view }) => view.logs(query.limit),
  }),
];
