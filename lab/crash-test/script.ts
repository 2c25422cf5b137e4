/** Script: a conversation with a bot, as its author writes it down for the crash test. */
import { UsageError } from "../../bot/core/errors.ts";
import type { Json } from "../../bot/core/message.ts";

/** One thing that a person does. */
export interface Step {
  /** The person's Telegram id. Default: 7. */
  readonly from?: number;
  /** Title of the group in which it happens. Default: the private chat with the bot. */
  readonly in?: string;
  /** What is written. */
  readonly say?: string;
  /** The text of a file, `file.txt`, that is sent as a document. */
  readonly file?: string;
  /** A part of the text of the inline button that is pressed; the newest one that fits. */
  readonly press?: string;
  /** A part of the title of the invoice that is paid in Telegram Stars; the newest one that fits. */
  readonly pay?: string;
  /** The name of what is done in the Mini App, as `kit.miniApp.act` knows it. */
  readonly act?: string;
  /** What the page sends with it. Default: null. */
  readonly data?: Json;
  /** Any other update, without its `update_id`. Source: Bot API, Update. */
  readonly update?: Readonly<Record<string, unknown>>;
  /** Seconds that pass, at least. */
  readonly wait?: number;
}

export type Script = readonly Step[];

const actions = ["say", "file", "press", "pay", "act", "update", "wait"] as const;
const fields: readonly string[] = [...actions, "from", "in", "data"];

/** @throws {UsageError} naming every step that is wrong. */
export function parseScript(value: unknown): Script {
  if (!Array.isArray(value) || value.length === 0) {
    throw new UsageError("the script: expected a list of steps", { hint });
  }
  const problems = value.flatMap((step: unknown, index) => {
    const problem = problemOf(step);
    return problem === undefined ? [] : [`  step ${index + 1}: ${problem}`];
  });
  if (problems.length > 0) throw new UsageError(`the script:\n${problems.join("\n")}`, { hint });
  return value as Script;
}

const hint =
  'A step is { "say": "/start" } or { "press": "Buy" }, with "from" and "in" if need be.';

function problemOf(step: unknown): string | undefined {
  if (typeof step !== "object" || step === null) return "expected an object";
  const unknown = Object.keys(step).filter((name) => !fields.includes(name));
  if (unknown.length > 0)
    return `expected only ${fields.join(", ")}, received ${unknown.join(", ")}`;
  const named = actions.filter((name) => name in step);
  if (named.length !== 1) return `expected one of ${actions.join(", ")}, received ${named.length}`;
  const { act, file, from, in: group, pay, press, say, update, wait } = step as Step;
  const isText = (text: unknown) => typeof text === "string" && text.trim() !== "";
  if (from !== undefined && !(Number.isSafeInteger(from) && from > 0))
    return "from: expected a user's id";
  if (group !== undefined && !isText(group)) return "in: expected a group's title";
  if (say !== undefined && !isText(say)) return "say: expected a text";
  if (file !== undefined && !isText(file)) return "file: expected the file's text";
  if (press !== undefined && !isText(press)) return "press: expected a button's text";
  if (pay !== undefined && !isText(pay)) return "pay: expected an invoice's title";
  if (act !== undefined && !isText(act)) return "act: expected a name";
  if ("data" in step && act === undefined) return "data: expected only with act";
  if (update !== undefined && (typeof update !== "object" || update === null)) {
    return "update: expected an object";
  }
  if (wait !== undefined && !(typeof wait === "number" && wait > 0))
    return "wait: expected seconds";
  return undefined;
}

/** A step in words. */
export function describeStep(index: number, step: Step): string {
  const { from = 7, in: group } = step;
  const place = group === undefined ? "" : ` in "${group}"`;
  return `step ${index + 1}, ${whatHappens(step)} from ${from}${place}`;
}

function whatHappens({ act, file, pay, press, say, wait }: Step): string {
  if (say !== undefined) return `"${say}"`;
  if (file !== undefined) return `"${file}"`;
  if (press !== undefined) return `the button "${press}"`;
  if (pay !== undefined) return `a payment of "${pay}"`;
  if (act !== undefined) return `the act "${act}"`;
  return wait === undefined ? "an update" : `a wait of ${wait} s`;
}
