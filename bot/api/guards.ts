/** Guards: what every request to the monitoring API passes before a route sees it. */
import type { RequestHandler, Response } from "express";

/** Bytes a request's body may have. No route reads one yet. */
const bodyBytesMax = 16 * 1024;

/** A refusal: its status, a stable code and one sentence. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Answers with the refusal, in the API's form. */
export type Refuse = (response: Response, refusal: Refusal) => void;

/** Nothing of ours may be framed, sniffed, cached or read by another site. */
export function setSecurityHeaders(): RequestHandler {
  return (_request, response, next) => {
    response.set({
      "Cache-Control": "no-store",
      "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
      "X-Frame-Options": "DENY",
    });
    next();
  };
}

/**
 * Refuses requests that were meant for another host: with DNS rebinding, a web page can reach a
 * loopback address under its own name, and would then read the answers.
 */
export function checkHost(port: () => number, refuse: Refuse): RequestHandler {
  return (request, response, next) => {
    const allowed = ["localhost", "127.0.0.1", "[::1]"].map((host) => `${host}:${port()}`);
    if (allowed.includes(request.headers.host?.toLowerCase() ?? "")) {
      next();
      return;
    }
    const message = `this API answers as ${allowed.join(", ")} only`;
    refuse(response, { status: 403, code: "HOST_NOT_ALLOWED", message });
  };
}

/** Refuses bodies that are too long, or do not say how long they are, without reading them. */
export function checkBody(refuse: Refuse): RequestHandler {
  return (request, response, next) => {
    const length = Number(request.headers["content-length"] ?? 0);
    if (request.headers["transfer-encoding"] === undefined && length <= bodyBytesMax) {
      next();
      return;
    }
    // The rest of the body would come before the next request.
    response.set("Connection", "close");
    const message = `a body has at most ${bodyBytesMax} bytes and says how many`;
    refuse(response, { status: 413, code: "BODY_TOO_LARGE", message });
  };
}
