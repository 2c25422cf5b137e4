/**
 * Routes of the monitoring API: which address shows what, in the form
 * `{ success, data, timestamp }` or `{ success, error: { code, message }, timestamp }`.
 *
 * Reads only. An answer that fails is a generic error outside and an event inside.
 */
import express, { type ErrorRequestHandler, type Express, type Response } from "express";
import type { Clock } from "../contracts/clock.ts";
import { recordError } from "../contracts/errors.ts";
import type { Publish } from "../contracts/events.ts";
import { checkBody, checkHost, type Refusal, setSecurityHeaders } from "./guards.ts";

/** What the API shows; each is asked once per request. */
export interface MonitoringView {
  readonly health: () => Shown<{ readonly status: "healthy" | "degraded" | "unhealthy" }>;
  readonly status: () => Shown<object>;
  readonly messageQueue: () => Shown<object>;
  readonly connections: () => Shown<object>;
}

type Shown<T> = T | Promise<T>;

export interface RoutesDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly view: MonitoringView;
  /** The port that requests have to name. */
  readonly port: () => number;
}

/** Milliseconds a view may take to answer; longer than a health probe may. */
const answerMsMax = 5_000;
/** Of an address, in events. */
const pathLengthMax = 200;

export function createRoutes(deps: RoutesDeps): Express {
  const { clock, port, publish, view } = deps;
  const send = (response: Response, status: number, content: object) => {
    response.status(status).json({ ...content, timestamp: formatInstant(clock.epochMs()) });
  };
  const refuse = (response: Response, { code, message, status }: Refusal) => {
    send(response, status, { success: false, error: { code, message } });
  };

  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  app.use(setSecurityHeaders(), checkHost(port, refuse), checkBody(refuse));

  const show = <T extends object>(
    path: string,
    ask: () => Shown<T>,
    statusOf: (data: T) => number = () => 200,
  ) => {
    app
      .route(path)
      .get(async (_request, response) => {
        const data = await inTime(ask, clock);
        const status = statusOf(data);
        send(response, status, { success: status === 200, data });
      })
      .all((_request, response) => {
        response.set("Allow", "GET, HEAD");
        refuse(response, { status: 405, code: "METHOD_NOT_ALLOWED", message: "only GET and HEAD" });
      });
  };
  show("/api/health", view.health, ({ status }) => (status === "unhealthy" ? 503 : 200));
  show("/api/status", view.status);
  show("/api/message-queue", view.messageQueue);
  show("/api/connections", view.connections);

  app.use((_request, response) => {
    refuse(response, { status: 404, code: "NOT_FOUND", message: "there is nothing here" });
  });
  const onError: ErrorRequestHandler = (error: unknown, request, response, next) => {
    if (isBadRequest(error)) {
      refuse(response, { status: 400, code: "BAD_REQUEST", message: "the request makes no sense" });
      return;
    }
    const path = request.path.slice(0, pathLengthMax);
    publish({ type: "api.failed", path, error: recordError(error, clock.epochMs()) });
    // Cut off in the middle of an answer, the client must not take it for a whole one.
    if (response.headersSent) next(error);
    else refuse(response, { status: 500, code: "INTERNAL", message: "see the log" });
  };
  app.use(onError);
  return app;
}

async function inTime<T>(ask: () => Shown<T>, clock: Clock): Promise<T> {
  const answered = new AbortController();
  const tooLate = clock.sleep(answerMsMax, answered.signal).then(() => {
    if (answered.signal.aborted) return undefined as never;
    throw new Error(`no answer within ${answerMsMax} ms`);
  });
  try {
    return await Promise.race([ask(), tooLate]);
  } finally {
    answered.abort();
  }
}

/** Express and Node mark what the client did wrong with a status of 4xx. */
function isBadRequest(error: unknown): boolean {
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  return status >= 400 && status < 500;
}

function formatInstant(epochMs: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: formats an instant of the Clock, asks for none.
  return new Date(epochMs).toISOString();
}
