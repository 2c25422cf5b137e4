/**
 * Application: makes an Express application of the route table. It does what every request needs before
 * a row's handler sees it, and gives every answer its form:
 * `{ success, data, timestamp }` or `{ success: false, error: { code, message, … }, timestamp }`.
 *
 *   headers → host → general limit → body's length → authentication → the row's limit → schemas → handler
 *
 * A refusal is answered with its reason; a failure is a generic error to the client and an event inside.
 */
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from "express";
import { type Clock, formatInstant } from "../core/clock.ts";
import { withDeadline } from "../core/deadline.ts";
import { BotError, recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import { type Admitted, type ApiTokens, Authentication } from "./authentication.ts";
import { checkBody, checkHost, type HostRules, setSecurityHeaders } from "./guards.ts";
import { addressOf, type RateLimits } from "./rate-limits.ts";
import { type RefusalFacts, RequestRefusedError } from "./refusal.ts";
import { checkRequest } from "./request.ts";
import type { Bot, Call, Route } from "./route.ts";

export interface ApplicationDeps {
  readonly table: readonly Route[];
  readonly bot: Bot;
  readonly publish: Publish;
  readonly tokens: () => ApiTokens;
  readonly hosts: HostRules;
  readonly limits: RateLimits;
}

/** Milliseconds a handler may take, unless its route says otherwise. */
const answerMsMax = 5_000;
/** Characters of a path that events show. */
const pathLengthMax = 200;

export function createApplication(deps: ApplicationDeps): Express {
  const { hosts, limits, publish, table, tokens } = deps;
  const authentication = new Authentication({
    tokens,
    readingIsFree: hosts.loopback && hosts.names.length === 0,
    failures: limits.failures,
    onFailure: (request, why) => {
      const path = request.path.slice(0, pathLengthMax);
      publish({ type: "api.refused", path, address: addressOf(request), why });
    },
  });
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  app.use(setSecurityHeaders(), checkHost(hosts), limits.general, checkBody());
  for (const row of table) app[row.method](row.path, ...handlersOf(row, authentication, deps));
  for (const path of new Set(table.map((row) => row.path))) {
    app.all(path, refuseMethod(table.filter((row) => row.path === path)));
  }
  app.use(() => {
    throw new RequestRefusedError({
      status: 404,
      code: "NOT_FOUND",
      message: "there is nothing at this address",
      hint: "GET /api/openapi.json lists every address.",
    });
  });
  app.use(answerError(deps));
  return app;
}

function handlersOf(
  row: Route,
  authentication: Authentication,
  deps: ApplicationDeps,
): RequestHandler[] {
  const { bot, limits, publish } = deps;
  const admitted = new WeakMap<Request, Admitted>();
  const admit: RequestHandler = async (request, _response, next) => {
    admitted.set(request, await authentication.admit(request, row.access));
    next();
  };
  const answer: RequestHandler = async (request, response) => {
    const { scope, by = "" } = admitted.get(request) ?? { scope: "nothing" };
    const checked = await checkRequest(row, request);
    const call: Call = { ...checked, scope, header: (name) => request.get(name) };
    // A change is recorded before it is made, because it may end the process.
    if (row.access === "operate" || (row.audit && scope === "operate")) {
      const type = row.access === "operate" ? "api.change-requested" : "api.payload-requested";
      const action = `${row.method.toUpperCase()} ${row.path}`;
      const facts = row.audit?.(call) ?? {};
      publish({ type, action, address: addressOf(request), by, facts });
    }
    await respond(row, call, bot, request, response);
  };
  return [admit, ...(row.perMinute === undefined ? [] : [limits.perMinute(row.perMinute)]), answer];
}

async function respond(row: Route, call: Call, bot: Bot, request: Request, response: Response) {
  if (!("data" in row)) {
    response.type(row.contentType);
    if (request.method === "HEAD") response.end();
    else await inTime(row, row.respond(call, bot, response), bot.clock);
    return;
  }
  const data = await inTime(row, row.handle(call, bot), bot.clock);
  const status = row.status?.(data) ?? 200;
  const forms = Object.entries(row.forms ?? {});
  const wanted = forms.length > 0 && request.accepts("json", ...forms.map(([type]) => type));
  const [type, form] = forms.find(([name]) => name === wanted) ?? [];
  if (type !== undefined && form) {
    write(response, status, `${type}; charset=utf-8`, JSON.stringify(form(data)));
    return;
  }
  send(response, status, { success: status < 400, data }, bot.clock);
}

/** Registered after the rows, so that a known address with a wrong method is answered with 405, not 404. */
function refuseMethod(rows: readonly Route[]): RequestHandler {
  const methods = rows.flatMap(({ method }) =>
    method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()],
  );
  return (_request, response) => {
    response.set("Allow", methods.join(", "));
    const message = `only ${methods.join(" and ")}`;
    throw new RequestRefusedError({ status: 405, code: "METHOD_NOT_ALLOWED", message });
  };
}

function answerError({ bot, publish }: ApplicationDeps): ErrorRequestHandler {
  const refuse = (response: Response, facts: RefusalFacts) => {
    const { retryAfterSeconds, status, ...error } = facts;
    if (retryAfterSeconds !== undefined) response.set("Retry-After", String(retryAfterSeconds));
    if (status === 401) response.set("WWW-Authenticate", "Bearer");
    send(response, status, { success: false, error }, bot.clock);
  };
  return (error: unknown, request, response, next) => {
    if (error instanceof RequestRefusedError && !response.headersSent) {
      refuse(response, error.facts);
      return;
    }
    if (isBadRequest(error) && !response.headersSent) {
      const message = "the request cannot be understood";
      refuse(response, { status: 400, code: "BAD_REQUEST", message });
      return;
    }
    const path = request.path.slice(0, pathLengthMax);
    publish({ type: "api.failed", path, error: recordError(error, bot.clock.epochMs()) });
    // An answer that was cut off in the middle must not look complete to the client.
    if (response.headersSent) next(error);
    else if (error instanceof BotError) {
      const { code, hint, message } = error;
      refuse(response, { status: 503, code, message, ...(hint !== undefined && { hint }) });
    } else refuse(response, { status: 500, code: "INTERNAL", message: "see the log" });
  };
}

function send(response: Response, status: number, content: object, clock: Clock): void {
  const text = JSON.stringify({ ...content, timestamp: formatInstant(clock.epochMs()) });
  write(response, status, "application/json; charset=utf-8", text);
}

/** Writes without Express's `send`, whose look-ups were half the cost of an answer. */
function write(response: Response, status: number, type: string, text: string): void {
  const headers = { "Content-Type": type, "Content-Length": Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}

/** Rejects when no answer comes in time. An answer that is there already needs no timer. */
async function inTime<T>(
  { withinMs = answerMsMax }: Route,
  asked: T | Promise<T>,
  clock: Clock,
): Promise<T> {
  if (!(asked instanceof Promise)) return asked;
  return withDeadline(clock, withinMs, () => asked, {
    late: () => {
      throw new Error(`no answer within ${withinMs} ms`);
    },
  });
}

/** Express and Node mark a client's mistakes with a status of 4xx. */
function isBadRequest(error: unknown): boolean {
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  return status >= 400 && status < 500;
}
