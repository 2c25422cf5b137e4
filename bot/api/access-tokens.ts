/**
 * Access tokens: those that are configured, or one that is made at the first start, so that an
 * operator can act at night without having prepared for it.
 *
 * Owns `restart-token` in the data directory, readable by the bot's user only. The token is never logged.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import { recordError } from "../core/errors.ts";
import type { Publish } from "../core/events.ts";
import { Secret } from "../core/secret.ts";
import type { ApiTokens } from "./authentication.ts";

export interface AccessTokensDeps {
  readonly clock: Clock;
  readonly publish: Publish;
  /** The data directory. */
  readonly directory: string;
  /** Tokens for changes; the bot makes one when this is empty. */
  readonly operate: readonly Secret[];
  readonly read: readonly Secret[];
}

const fileName = "restart-token";
const wellFormed = /^[\w-]{43}$/;

export class AccessTokens implements Component {
  readonly name = "access-tokens";
  readonly #deps: AccessTokensDeps;
  #made: Secret | undefined;

  constructor(deps: AccessTokensDeps) {
    this.#deps = deps;
  }

  /** The tokens that are valid now. Without a token for changes, every change is refused. */
  get current(): ApiTokens {
    const { operate, read } = this.#deps;
    return { operate: operate.length === 0 && this.#made ? [this.#made] : operate, read };
  }

  /** The file of the token that was made; `undefined` when one is configured. */
  get file(): string | undefined {
    return this.#made && join(this.#deps.directory, fileName);
  }

  async start(): Promise<void> {
    const { clock, directory, operate, publish } = this.#deps;
    if (operate.length > 0) return;
    const path = join(directory, fileName);
    try {
      this.#made = new Secret(readToken(path) ?? makeToken(directory, path));
    } catch (reason) {
      // The disk refuses to write: the bot still runs, and the event says why changes are refused.
      publish({ type: "api.failed", path: fileName, error: recordError(reason, clock.epochMs()) });
    }
  }

  async stop(): Promise<void> {}
}

/** @returns `undefined` when the token is incomplete, or when others may have read it. */
function readToken(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || (process.platform !== "win32" && (found.mode & 0o077) !== 0)) return undefined;
  const text = readFileSync(path, "utf8").trim();
  return wellFormed.test(text) ? text : undefined;
}

function makeToken(directory: string, path: string): string {
  const token = randomBytes(32).toString("base64url");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const fresh = `${path}.new`;
  writeFileSync(fresh, `${token}\n`, { mode: 0o600, flush: true });
  renameSync(fresh, path);
  return token;
}
