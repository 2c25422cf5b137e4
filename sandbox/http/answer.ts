/** Answer: the Bot API's answer to one request, before it is put on the wire. */

export interface Answer {
  readonly status: number;
  /** JSON; empty for the answers that have no body. */
  readonly body: string;
  readonly description?: string;
  readonly retryAfterS?: number;
  /** True: the connection is closed after the answer. */
  readonly close?: boolean;
}

export interface ErrorParameters {
  readonly retry_after?: number;
  readonly migrate_to_chat_id?: number;
}

/** The method was refused. The message is the description as the client sees it. */
export class ApiError extends Error {
  readonly status: number;
  readonly parameters: ErrorParameters | undefined;

  constructor(status: number, description: string, parameters?: ErrorParameters) {
    super(description);
    this.status = status;
    this.parameters = parameters;
  }
}

/** 400. The text keeps its case: some of Telegram's begin with a capital. */
export function badRequest(text: string): ApiError {
  return new ApiError(400, `Bad Request: ${text}`);
}

export function forbidden(text: string): ApiError {
  return new ApiError(403, `Forbidden: ${text}`);
}

export function tooManyRequests(retryAfterS: number): ApiError {
  return new ApiError(429, `Too Many Requests: retry after ${retryAfterS}`, {
    retry_after: retryAfterS,
  });
}

/** @param result Already JSON. */
export function succeedRaw(result: string): Answer {
  return { status: 200, body: `{"ok":true,"result":${result}}` };
}

/** @param description Only the webhook methods have one. */
export function succeed(result: unknown, description?: string): Answer {
  if (description === undefined) return succeedRaw(JSON.stringify(result));
  return { status: 200, body: JSON.stringify({ ok: true, result, description }) };
}

export function fail(status: number, description: string, parameters?: ErrorParameters): Answer {
  const base = { ok: false, error_code: status, description };
  const body = JSON.stringify(parameters ? { ...base, parameters } : base);
  const retryAfterS = parameters?.retry_after;
  return { status, body, description, ...(retryAfterS === undefined ? {} : { retryAfterS }) };
}

export function failWith(error: ApiError): Answer {
  return fail(error.status, error.message, error.parameters);
}

export function conflict(text: string): Answer {
  return fail(409, `Conflict: ${text}`);
}

/** The answer of the HTTP layer itself: no body, connection closed. */
export function empty(status: number): Answer {
  return { status, body: "", close: true };
}
