/** Stored forms: how messages, errors and results become the text that every engine stores. */
import { type ErrorRecord, StepResultError } from "../core/errors.ts";
import type { NewMessage } from "../core/message.ts";

/** A message whose payload is JSON text already: from here on nothing about it can fail. */
export interface PreparedMessage {
  readonly message: NewMessage;
  readonly payload: string;
}

/** @throws {TypeError} when a payload is not plain data. */
export function prepareMessages(messages: readonly NewMessage[]): readonly PreparedMessage[] {
  return messages.map((message) => ({ message, payload: JSON.stringify(message.payload) }));
}

/** How many of a message's latest errors are kept. */
const errorsKeptMax = 10;

/** Adds an error to those of a message, as stored. */
export function withError(errors: string, error: ErrorRecord | undefined): string {
  if (!error) return errors;
  const kept = (JSON.parse(errors) as ErrorRecord[]).slice(-(errorsKeptMax - 1));
  return JSON.stringify([...kept, error]);
}

/** Maximum length of a durable step's stored result, in characters of JSON. */
const stepResultLengthMax = 65_536;

/** @throws {StepResultError} when the result of this step is too large. */
export function stepResultText(name: string, result: unknown): string {
  const text = JSON.stringify(result ?? null);
  if (text.length <= stepResultLengthMax) return text;
  throw new StepResultError(
    `step ${name}: its result has ${text.length} characters, at most ${stepResultLengthMax}`,
    { hint: "Return only identifiers and totals, and read the rest again later." },
  );
}
