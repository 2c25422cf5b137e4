/** Guards: checks of every request to the monitoring API before a route sees it. */
import { isIP } from "node:net";
import type { RequestHandler } from "express";
import helmet from "helmet";
import { RequestRefusedError } from "./refusal.ts";

/** Bytes a request's body may have. */
export const bodyBytesMax = 16 * 1024;

/** Forbids other sites to frame, sniff, cache or read our answers, and forbids inline scripts. */
export function setSecurityHeaders(): RequestHandler[] {
  const directives = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'"],
    "connect-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
  };
  return [
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives },
      // The API speaks plain http, on this machine or behind a proxy that adds its own header.
      strictTransportSecurity: false,
      xFrameOptions: { action: "deny" },
    }),
    (_request, response, next) => {
      response.set("Cache-Control", "no-store");
      next();
    },
  ];
}

export interface HostRules {
  /** Whether only this machine can reach the API. */
  readonly loopback: boolean;
  /** Names under which others reach the API, with `:port` where it differs from the API's own. */
  readonly names: readonly string[];
  readonly port: () => number;
}

/**
 * Refuses requests that were meant for another host: with DNS rebinding, a web page can reach a
 * loopback address under its own name, and would then read the answers. Where others may reach the
 * API, an IP address is as good as a configured name, because rebinding needs a name.
 */
export function checkHost({ loopback, names, port }: HostRules): RequestHandler {
  // The port is known once the API listens, so it is read at the first request.
  let known: { readonly own: readonly string[]; readonly allowed: ReadonlySet<string> } | undefined;
  const know = () => {
    const own = ["localhost", "127.0.0.1", "[::1]"].map((host) => `${host}:${port()}`);
    const others = names.flatMap((name) => [name, `${name}:${port()}`]);
    return { own, allowed: new Set([...own, ...others]) };
  };
  return (request, _response, next) => {
    known ??= know();
    const { allowed, own } = known;
    const host = request.headers.host?.toLowerCase() ?? "";
    if (allowed.has(host) || (!loopback && isAddress(host))) {
      next();
      return;
    }
    throw new RequestRefusedError({
      status: 403,
      code: "HOST_NOT_ALLOWED",
      message: `this API answers only as ${[...own, ...names].join(", ")}`,
      ...(!loopback && { hint: "Add the name to MONITORING_HOST_NAMES." }),
    });
  };
}

function isAddress(host: string): boolean {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(host) ?? [];
  return isIP(bracketed ?? plain ?? "") !== 0;
}

/** Refuses a body that is too long or has no Content-Length, without reading it. */
export function checkBody(): RequestHandler {
  return (request, response, next) => {
    const length = Number(request.headers["content-length"] ?? 0);
    if (request.headers["transfer-encoding"] === undefined && length <= bodyBytesMax) {
      next();
      return;
    }
    // The rest of the body would be read as the next request.
    response.set("Connection", "close");
    const message = `a body may have ${bodyBytesMax} bytes and needs a Content-Length`;
    throw new RequestRefusedError({ status: 413, code: "BODY_TOO_LARGE", message });
  };
}
