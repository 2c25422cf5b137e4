/**
 * Bot route: reads token and method from a path, and refuses malformed tokens as Telegram does.
 *
 * Source: tdlib/telegram-bot-api, HttpConnection.cpp and ClientManager.cpp.
 */
import { ApiError } from "./answer.ts";
import { decodePercent } from "./parameters.ts";

export interface BotRoute {
  readonly token: string;
  /** Whether it is a bot of Telegram's test environment: `/bot<token>/test/METHOD`. */
  readonly test: boolean;
  /** The name as the client spelt it; may be empty. */
  readonly method: string;
}

/** Malformed tokens are refused as by api.telegram.org or as by the open-source server. */
export type MalformedTokens = "cloud-404" | "server-401";

const testPrefix = "test/";
const tokenLengthMax = 80;
const secretLengthMin = 24;
const botIdMax = 2 ** 54;

/** Throws an `ApiError` when the path is not a bot's. */
export function parseBotRoute(path: string): BotRoute {
  if (!path.startsWith("/")) {
    throw new ApiError(404, "Not Found: absolute URI is specified in the Request-Line");
  }
  const decoded = path.includes("%") ? decodePercent(path) : path;
  if (!decoded.startsWith("/bot")) throw new ApiError(404, "Not Found");
  const slash = decoded.indexOf("/", 4);
  if (slash < 0) throw new ApiError(404, "Not Found");
  const rest = decoded.slice(slash + 1);
  const test = rest.startsWith(testPrefix);
  const method = test ? rest.slice(testPrefix.length) : rest;
  return { token: decoded.slice("/bot".length, slash), test, method };
}

/** The account of a token that is accepted in this environment. */
export function accountAt<Found extends KnownToken>(
  accounts: ReadonlyMap<number, Found>,
  { test, token }: Omit<BotRoute, "method">,
): Found | undefined {
  const account = accounts.get(botIdOf(token));
  const known = account?.token === token && account.test === test && !account.revoked;
  return known ? account : undefined;
}

interface KnownToken {
  readonly token: string;
  readonly test: boolean;
  readonly revoked: boolean;
}

/** Reads a configured token; a `/test` at its end is the test environment. */
export function parseToken(text: string): { readonly token: string; readonly test: boolean } {
  const test = text.endsWith("/test");
  return { token: test ? text.slice(0, -"/test".length) : text, test };
}

/** @returns the error, or undefined when the token is well formed. */
export function checkTokenForm(token: string, malformed: MalformedTokens): ApiError | undefined {
  const error = formError(token);
  if (error && malformed === "cloud-404") return new ApiError(404, "Not Found");
  return error;
}

/** The number before the colon. */
export function botIdOf(token: string): number {
  return Number(token.slice(0, token.indexOf(":")));
}

function formError(token: string): ApiError | undefined {
  const colon = token.indexOf(":");
  if (token.startsWith("0") || token.length > tokenLengthMax || colon < 0) {
    return new ApiError(401, "Unauthorized: invalid token specified");
  }
  const id = token.slice(0, colon);
  if (!/^-?\d+$/.test(id)) {
    return new ApiError(421, "Misdirected Request: unallowed token specified");
  }
  if (Number(id) <= 0 || Number(id) >= botIdMax) {
    return new ApiError(401, "Unauthorized: invalid token specified");
  }
  const secret = token.slice(colon + 1);
  if (secret.length < secretLengthMin || !/^[A-Za-z0-9_-]*$/.test(secret)) {
    return new ApiError(401, "Unauthorized");
  }
  return undefined;
}

export const unauthorized = new ApiError(401, "Unauthorized");
