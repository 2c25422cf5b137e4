/**
 * Mini App server: the HTTP side of a Mini App, under its path and, where nothing else is, at the root.
 *
 *   GET  /app/                 the page; /app/<file> for its files
 *   POST /app/ask/<name>       a question; its answer is the body
 *   POST /app/act/<name>/<id>  an act, done once under this id; the body says what has become of it
 *   GET  /app/act/<id>         what has become of an act
 *
 * Questions and acts carry `Authorization: tma <init data>` and JSON of at most 16 KiB. There are no cookies
 * and no CORS, so a page of another site can neither ask nor act for anybody.
 */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import express, {
  type ErrorRequestHandler,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import type { Clock } from "../../core/clock.ts";
import { BotError, InitDataRefusedError, recordError } from "../../core/errors.ts";
import type { Publish } from "../../core/events.ts";
import type { InitDataCheck } from "./init-data.ts";
import type { ActState, MiniAppRequests, Person } from "./mini-app-requests.ts";

export interface MiniAppServerDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  readonly initData: InitDataCheck;
  readonly requests: MiniAppRequests;
  /** Whether this person may make one more request now. */
  readonly admit: (userId: number) => boolean;
  /** The folder of the page's files; `index.html` is the page. */
  readonly files: URL;
  /** Origins whose pages may show this one in a frame, as a Content-Security-Policy writes them. */
  readonly frameAncestors: readonly string[];
}

/** Where the Mini App is beside other things, everything that it is asked begins like this. */
export const miniAppPath = "/app/";

/** Connections that people's requests may hold; an act holds one for up to 8 s. */
export const miniAppConnectionsMax = 256;

const bodyBytesMax = 16 * 1024;
const busyRetrySeconds = 2;
const requestIdPattern = /^[\w-]{16,64}$/;
const pathLengthMax = 100;

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

const statusOf: Readonly<Record<ActState["state"], number>> = {
  answered: 200,
  refused: 200,
  failed: 200,
  waiting: 202,
  unknown: 404,
  busy: 503,
};

export function createMiniAppServer(deps: MiniAppServerDeps): RequestListener {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.enable("strict routing");
  app.use(setHeaders(deps.frameAncestors));
  // A relative address, because a proxy in front may have changed the path.
  app.get("/app", (_request, response) => response.status(308).set("Location", "app/").end());
  const router = createRouter(deps);
  app.use("/app", router);
  app.use(router);
  app.use((_request, response) => refuse(response, 404, "NOT_FOUND"));
  app.use(answerError(deps));
  return app;
}

function createRouter(deps: MiniAppServerDeps): Router {
  const { requests } = deps;
  const router = express.Router({ strict: true });
  const json = express.json({ limit: bodyBytesMax, strict: false, type: () => true });
  const proven = authenticate(deps);
  router.post("/ask/:name", proven, json, async (request, response) => {
    const name = String(request.params["name"]);
    if (!requests.asks(name)) return refuse(response, 404, "NOT_FOUND");
    const answer = await requests.ask(personOf(response), name, request.body ?? null);
    return void response.json(answer ?? null);
  });
  router.post("/act/:name/:requestId", proven, json, async (request, response) => {
    const { name, requestId } = request.params as Record<"name" | "requestId", string>;
    if (!requests.acts(name)) return refuse(response, 404, "NOT_FOUND");
    if (!requestIdPattern.test(requestId)) return refuse(response, 400, "BAD_REQUEST_ID");
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const person = personOf(response);
    const data = request.body ?? null;
    return tell(response, await requests.act(person, name, requestId, data, gone.signal));
  });
  router.get("/act/:requestId", proven, async (request, response) => {
    const requestId = String(request.params["requestId"]);
    if (!requestIdPattern.test(requestId)) return refuse(response, 400, "BAD_REQUEST_ID");
    return tell(response, await requests.stateOf(personOf(response), requestId));
  });
  const paths = findFiles(fileURLToPath(deps.files));
  router.get(["/", "/:file"], async (request, response) => {
    const name = request.params["file"] ?? "index.html";
    const path = paths.get(String(name));
    if (path === undefined) return refuse(response, 404, "NOT_FOUND");
    response.type(contentTypes[extname(path)] ?? "application/octet-stream");
    return void response.send(await readFile(path));
  });
  return router;
}

function setHeaders(frameAncestors: readonly string[]): RequestHandler {
  const own = ["script-src", "style-src", "connect-src"].map((name) => `${name} 'self'`);
  const policy = [
    "default-src 'none'",
    ...own,
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${frameAncestors.join(" ")}`,
  ].join("; ");
  return (_request, response, next) => {
    response.set({
      "Content-Security-Policy": policy,
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Cache-Control": "no-store",
    });
    next();
  };
}

/** Lets through only requests whose person is proven, and who does not make too many of them. */
function authenticate({ admit, clock, initData, publish }: MiniAppServerDeps): RequestHandler {
  return (request, response, next) => {
    const [, given] = /^tma (\S+)$/i.exec(request.get("Authorization") ?? "") ?? [];
    if (given === undefined) throw new InitDataRefusedError("missing");
    const person = initData.personOf(given, clock.epochMs());
    response.locals["person"] = person;
    if (admit(person.id)) return next();
    publish({ type: "mini-app.refused", reason: "too-many-requests" });
    response.set("Retry-After", String(busyRetrySeconds));
    return refuse(response, 429, "TOO_MANY_REQUESTS");
  };
}

function personOf(response: Response): Person {
  return response.locals["person"] as Person;
}

function tell(response: Response, state: ActState): void {
  if (state.state === "busy") response.set("Retry-After", String(busyRetrySeconds));
  response.status(statusOf[state.state]).json(state);
}

function refuse(response: Response, status: number, code: string): void {
  // A body that was not read would be taken for the next request.
  if (!response.req.complete) response.set("Connection", "close");
  response.status(status).json({ error: code });
}

function answerError({ clock, publish }: MiniAppServerDeps): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof InitDataRefusedError) {
      publish({ type: "mini-app.refused", reason: error.fault });
      const code = `INIT_DATA_${error.fault.replaceAll("-", "_").toUpperCase()}`;
      return refuse(response, 401, code);
    }
    const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
    if (status >= 400 && status < 500) return refuse(response, status, "BAD_REQUEST");
    const path = request.path.slice(0, pathLengthMax);
    publish({ type: "mini-app.failed", path, error: recordError(error, clock.epochMs()) });
    const transient = error instanceof BotError && error.transient;
    if (transient) response.set("Retry-After", String(busyRetrySeconds));
    return refuse(response, transient ? 503 : 500, transient ? error.code : "INTERNAL");
  };
}

/** The files by name; made once, so that no address of a request becomes a path. */
function findFiles(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder, { withFileTypes: true }).filter(
    (entry) => entry.isFile() && extname(entry.name) in contentTypes,
  );
  return new Map(files.map(({ name }) => [name, join(folder, name)]));
}
