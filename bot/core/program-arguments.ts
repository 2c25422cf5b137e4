/** Program arguments: says what is wrong with the words after a program's name. */
import { UsageError } from "./errors.ts";

/**
 * What `parse` makes of them. Throws `UsageError` when it throws.
 *
 * @param usage How the program is called, for the hint.
 */
export function understood<T>(usage: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : "these arguments";
    throw new UsageError(`not understood: ${problem}`, { cause, hint: usage });
  }
}
