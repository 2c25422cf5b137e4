/** Control error: the control API refuses a request. The message says what it expects. */
export class ControlError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The whole number in a field of a request. Throws a `ControlError`. */
export function integerIn(
  request: Readonly<Record<string, unknown>>,
  name: string,
  min: number,
  max = Number.MAX_SAFE_INTEGER,
): number {
  const value = request[name];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max) {
    return value;
  }
  throw new ControlError(400, `${name} must be a whole number from ${min} to ${max}`);
}

/** The string in a field of a request. Throws a `ControlError`. */
export function textIn(request: Readonly<Record<string, unknown>>, name: string): string {
  const value = request[name];
  if (typeof value === "string" && value !== "") return value;
  throw new ControlError(400, `${name} must be a string`);
}
