import { inspect } from "node:util";

/**
 * Secret: a string that does not print itself.
 *
 * Logs, JSON, string interpolation and `util.inspect` all show `[secret]`; only `reveal` gives the
 * text, so every place that uses a secret can be found by that word.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret itself. Never log it, never put it into an error. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}
