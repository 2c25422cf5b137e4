/** Refusal: why a request is refused, with the HTTP status for it. */
import { BotError } from "../core/errors.ts";

/** One mistake in a request. */
export interface RequestProblem {
  /** The field with the mistake, e.g. `body.reason`, `query.limit`. */
  readonly field: string;
  readonly problem: string;
}

export interface RefusalFacts {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** The mend, for the caller. */
  readonly hint?: string;
  readonly problems?: readonly RequestProblem[];
  /** Seconds after which another try makes sense. */
  readonly retryAfterSeconds?: number;
}

/** Thrown anywhere while a request is handled, and answered in the API's form. */
export class RequestRefusedError extends BotError {
  override readonly code: string;
  override readonly transient: boolean;
  readonly facts: RefusalFacts;

  constructor(facts: RefusalFacts, options: ErrorOptions = {}) {
    super(facts.message, { ...options, ...(facts.hint !== undefined && { hint: facts.hint }) });
    this.code = facts.code;
    this.transient = facts.status === 429 || facts.status === 503;
    this.facts = facts;
  }
}

/** There is no such thing. */
export function notFound(message: string): RequestRefusedError {
  return new RequestRefusedError({ status: 404, code: "NOT_FOUND", message });
}

/** It cannot be done in the present state. */
export function conflict(code: string, message: string, hint?: string): RequestRefusedError {
  return new RequestRefusedError({ status: 409, code, message, ...(hint && { hint }) });
}
