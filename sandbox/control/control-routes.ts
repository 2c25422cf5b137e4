/**
 * Control routes: the control API and the chat page over HTTP.
 *
 * They serve this machine only. A foreign `Host` or `Origin` is refused, so that a web page which a
 * developer visits cannot reach them (DNS rebinding, cross-site requests).
 */
import { readdirSync, readFileSync } from "node:fs";
import type { SandboxControl } from "../control-api.ts";
import type { Exchange } from "../http/exchange.ts";
import { isRecord } from "../text/reply-markup.ts";
import { ControlError } from "./control-error.ts";
import { fileType } from "./file-type.ts";
import { operationAt } from "./operations.ts";

export interface ControlRoutesOptions {
  readonly control: SandboxControl;
  /** The host the listener is bound to. */
  readonly host: string;
  readonly onStop: () => void;
  /** The content of a bot's file; undefined when there is none. */
  readonly file: (botId: number, fileId: string) => Buffer | undefined;
}

const pageFolder = new URL("../page/", import.meta.url);
const pageTypes: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};
/** The page's files by their paths. */
const pageFiles: ReadonlyMap<string, string> = new Map([
  ["/", "index.html"],
  ...readdirSync(pageFolder).map((name) => [`/${name}`, name] as const),
]);

const pageHeaders = [
  "Content-Security-Policy",
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; media-src 'self'; frame-src http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options",
  "nosniff",
  "Referrer-Policy",
  "no-referrer",
  "Cache-Control",
  "no-store",
];

const loopback: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
const bodyBytesMax = 32 * 2 ** 20;

export class ControlRoutes {
  readonly #options: ControlRoutesOptions;

  constructor(options: ControlRoutesOptions) {
    this.#options = options;
  }

  /** @returns false when the path is not one of these. */
  handle(exchange: Exchange): boolean {
    const url = exchange.request.url ?? "/";
    const [path = "/", query = ""] = url.split("?", 2);
    const page = pageFiles.get(path);
    if (!page && path !== "/sandbox" && !path.startsWith("/sandbox/")) return false;
    if (!this.#isLocal(exchange)) {
      sendJson(exchange, 403, { error: "the sandbox's control API is for this machine only" });
    } else if (page) sendPage(exchange, page);
    else if (path === "/sandbox/file") this.#sendFile(exchange, query);
    else void this.#operate(exchange, path, query);
    return true;
  }

  #isLocal({ request }: Exchange): boolean {
    const { host = "", origin } = request.headers;
    const own = this.#options.host;
    const open = own === "0.0.0.0" || own === "::";
    const name = host.replace(/:\d+$/, "").toLowerCase();
    if (!open && !loopback.has(name) && name !== own) return false;
    return origin === undefined || origin === `http://${host}`;
  }

  /** A file that somebody sent, for the page to show. */
  #sendFile(exchange: Exchange, query: string): void {
    const { botId, id } = fromQuery(query);
    const content = this.#options.file(Number(botId), String(id));
    if (content) exchange.sendContent(200, fileType(content), content, pageHeaders);
    else sendJson(exchange, 404, { error: "there is no such file" });
  }

  async #operate(exchange: Exchange, path: string, query: string): Promise<void> {
    try {
      if (path === "/sandbox") return sendJson(exchange, 200, this.#options.control.describe());
      const isPost = exchange.request.method === "POST";
      if (path === "/sandbox/stop" && isPost) {
        sendJson(exchange, 200, { stopping: true });
        return this.#options.onStop();
      }
      const operation = operationAt(path);
      if (!operation) throw new ControlError(404, `no operation at ${path}; see the README`);
      if (!isPost && !operation.read) throw new ControlError(405, `POST ${path}`);
      const request = isPost ? jsonBody(exchange) : fromQuery(query);
      const operate = this.#options.control[operation.name] as (request: unknown) => unknown;
      sendJson(exchange, 200, await operate(request));
    } catch (error) {
      const status = error instanceof ControlError ? error.status : 400;
      sendJson(exchange, status, { error: error instanceof Error ? error.message : String(error) });
    }
  }
}

function jsonBody({ request, body }: Exchange): Readonly<Record<string, unknown>> {
  // A browser posts a form across sites without a preflight request; JSON needs one.
  if (!request.headers["content-type"]?.toLowerCase().startsWith("application/json")) {
    throw new ControlError(415, "the body must be application/json");
  }
  if (body.length > bodyBytesMax) throw new ControlError(413, "the body is too large");
  const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString("utf8"));
  if (!isRecord(value)) throw new ControlError(400, "the body must be an object");
  return value;
}

/** Reads a query string; digits become numbers, `true` and `false` booleans. */
function fromQuery(query: string): Readonly<Record<string, unknown>> {
  const fields = [...new URLSearchParams(query)].map(([name, value]) => {
    if (/^-?\d{1,16}$/.test(value)) return [name, Number(value)];
    if (value === "true" || value === "false") return [name, value === "true"];
    return [name, value];
  });
  return Object.fromEntries(fields) as Readonly<Record<string, unknown>>;
}

function sendJson(exchange: Exchange, status: number, value: unknown): void {
  exchange.sendContent(status, "application/json", JSON.stringify(value ?? null), [
    "Cache-Control",
    "no-store",
  ]);
}

function sendPage(exchange: Exchange, name: string): void {
  const type = pageTypes[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
  exchange.sendContent(200, type, readFileSync(new URL(name, pageFolder)), pageHeaders);
}
