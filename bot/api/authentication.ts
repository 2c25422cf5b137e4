/**
 * Authentication: decides what a caller may do by the token that it sends.
 *
 * Tokens are kept as digests and compared in constant time. A caller that sends wrong ones is refused for
 * a while; a token is never in an event.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Request } from "express";
import type { Secret } from "../core/secret.ts";
import type { FailureLimit } from "./rate-limits.ts";
import { RequestRefusedError } from "./refusal.ts";
import type { Access, Scope } from "./route.ts";

/** The tokens that open the API. */
export interface ApiTokens {
  /** Tokens for changes; two while one replaces the other. Without any, changes are refused. */
  readonly operate: readonly Secret[];
  /** Tokens for reading only. */
  readonly read: readonly Secret[];
}

/** A caller that was let in. */
export interface Admitted {
  readonly scope: Scope;
  /** The name of its token, e.g. `operate 1`; absent without one. */
  readonly by?: string;
}

export interface AuthenticationDeps {
  /** Called once, at the first request. */
  readonly tokens: () => ApiTokens;
  /** Whether reading needs no token, because only this machine can reach the API. */
  readonly readingIsFree: boolean;
  readonly failures: FailureLimit;
  /** Called for every failure that counts towards the limit. */
  readonly onFailure: (request: Request, why: string) => void;
}

interface KnownToken {
  readonly scope: "read" | "operate";
  readonly name: string;
  readonly digest: Buffer;
}

export class Authentication {
  readonly #deps: AuthenticationDeps;
  #known: readonly KnownToken[] | undefined;

  constructor(deps: AuthenticationDeps) {
    this.#deps = deps;
  }

  /** Rejects with `RequestRefusedError`: 401, 403 or 429. */
  async admit(request: Request, access: Access): Promise<Admitted> {
    const { failures, readingIsFree } = this.#deps;
    if (access === "anyone") return { scope: "nothing" };
    const { authorization } = request.headers;
    if (authorization === undefined && access !== "operate") {
      if (readingIsFree && !isForwarded(request)) return { scope: "read" };
      if (access === "anyone-in-part") return { scope: "nothing" };
      throw unauthorized("this needs a token");
    }
    this.#known ??= digestAll(this.#deps.tokens());
    if (access === "operate" && !this.#known.some((known) => known.scope === "operate")) {
      throw new RequestRefusedError({
        status: 403,
        code: "OPERATING_DISABLED",
        message: "changes are off, because there is no token for them",
        hint: "Set RESTART_TOKEN (openssl rand -hex 32) and restart the bot.",
      });
    }
    await failures.check(request);
    const token = find(this.#known, authorization);
    if (!token) {
      const why = authorization === undefined ? "no token" : "wrong token";
      await this.#fail(request, why);
      throw unauthorized(
        authorization === undefined ? "this needs a token" : "this token is wrong",
      );
    }
    if (access === "operate" && token.scope !== "operate") {
      await this.#fail(request, "a token for reading");
      throw new RequestRefusedError({
        status: 403,
        code: "FORBIDDEN",
        message: "this token is for reading; changes need RESTART_TOKEN",
      });
    }
    return { scope: token.scope, by: token.name };
  }

  async #fail(request: Request, why: string): Promise<void> {
    this.#deps.onFailure(request, why);
    await this.#deps.failures.count(request);
  }
}

/** Whether a proxy on this machine passed the request on for someone else. */
function isForwarded({ headers }: Request): boolean {
  return ["forwarded", "via", "x-forwarded-for", "x-real-ip"].some((name) => name in headers);
}

function digestAll({ operate, read }: ApiTokens): readonly KnownToken[] {
  const known = (scope: "read" | "operate") => (secret: Secret, index: number) => ({
    scope,
    name: `${scope} ${index + 1}`,
    digest: digestOf(secret.reveal()),
  });
  return [...operate.map(known("operate")), ...read.map(known("read"))];
}

/** Compares with every token, so that the time it takes reveals nothing. */
function find(known: readonly KnownToken[], authorization = ""): KnownToken | undefined {
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
  const digest = digestOf(given ?? "");
  const [found] = known.filter((one) => timingSafeEqual(one.digest, digest));
  return given === undefined ? undefined : found;
}

function unauthorized(message: string): RequestRefusedError {
  const hint = "Send it as a header: Authorization: Bearer <token>";
  return new RequestRefusedError({ status: 401, code: "UNAUTHORIZED", message, hint });
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
