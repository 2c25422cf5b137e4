/**
 * Load module: from the file of a bot to a module that can be run, or to one clear error.
 *
 * Every mistake in the file is a `ConfigurationError`, which ends a program with exit code 78: starting
 * it again would not mend it.
 */
import { type Stats, statSync } from "node:fs";
import { relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { ModuleChoice } from "../../config/module-choice.ts";
import { systemClock } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import { ConfigurationError } from "../../core/errors.ts";
import type { BotModule } from "../module.ts";
import { resolveForModules } from "./kit-resolution.ts";
import { kindOf, moduleProblems } from "./module-form.ts";
import { guardStart, loadingMsMax } from "./start-guard.ts";

const seconds = loadingMsMax / 1_000;
const late: unique symbol = Symbol("late");

/**
 * The module in this file. Its `setup` throws a `ConfigurationError` in place of what its author throws.
 *
 * @throws {ConfigurationError} naming the file, what was expected and what came.
 */
export async function loadModule({ file, source }: ModuleChoice): Promise<BotModule> {
  const shown = shownPath(file);
  const refuse = (expected: string, received: string, hint: string) =>
    new ConfigurationError([{ variable: `${source} (${shown})`, expected, received, hint }]);
  checkFile(file, refuse);
  const exports = await importFile(file, shown, refuse);
  if (!hasDefault(exports)) {
    const names = Object.keys(exports).filter(
      (name) => !/^(?:default|module\.exports)$/.test(name),
    );
    throw refuse(
      "a default export",
      names.join(", ") || "no export at all",
      "Write: export default defineBot({ … })",
    );
  }
  const problems = moduleProblems(exports["default"], source, shown);
  if (problems.length > 0) throw new ConfigurationError(problems);
  return withGuardedSetup(exports["default"] as BotModule, file, shown, refuse);
}

type Exports = Readonly<Record<string, unknown>>;
type Refuse = (expected: string, received: string, hint: string) => ConfigurationError;

/** A file without any export counts as CommonJS, whose default export is then an empty object. */
function hasDefault(exports: Exports): boolean {
  const value = exports["default"];
  const empty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return "default" in exports && !empty;
}

function checkFile(file: string, refuse: Refuse): void {
  let found: Stats | undefined;
  try {
    found = statSync(file);
  } catch {
    // It is missing, or a directory above it cannot be read.
  }
  if (found?.isFile()) return;
  throw refuse(
    "the path of a file, such as ./my-bot.ts",
    found ? "a directory" : "no such file",
    "A path in BOT_MODULE begins at the directory of .env, one after --bot where you call it.",
  );
}

async function importFile(file: string, shown: string, refuse: Refuse): Promise<Exports> {
  resolveForModules();
  const endGuard = guardStart(
    `${shown} has blocked the process for ${seconds} s while it was loaded. What takes long belongs into a handler.`,
  );
  try {
    const loaded = await withDeadline<Exports | typeof late>(
      systemClock,
      loadingMsMax,
      () => import(pathToFileURL(file).href) as Promise<Exports>,
      { late: () => late },
    );
    if (loaded !== late) return loaded;
  } catch (thrown) {
    const hint = loadingHint(thrown);
    throw refuse("a file that can be loaded", describeThrown(thrown, file), hint);
  } finally {
    endGuard();
  }
  throw refuse(
    `a file that is loaded within ${seconds} s`,
    "an await that has not ended",
    "Do not wait at the top of the file; waiting belongs into a handler.",
  );
}

/** The module, with a `setup` whose errors name the file and which may not block for ever. */
function withGuardedSetup(
  module: BotModule,
  file: string,
  shown: string,
  refuse: Refuse,
): BotModule {
  const setup: BotModule["setup"] = (bot, kit) => {
    const endGuard = guardStart(
      `${shown}: setup has blocked the process for ${seconds} s. It registers handlers, and waits for nothing.`,
    );
    let result: unknown;
    try {
      result = module.setup(bot, kit);
    } catch (thrown) {
      if (thrown instanceof ConfigurationError) throw thrown;
      const received = describeThrown(thrown, file);
      throw refuse("setup to register the handlers", received, "The file has to be mended.");
    } finally {
      endGuard();
    }
    if (result instanceof Promise) {
      // Its outcome comes too late to be of use.
      result.catch(() => {});
      throw refuse("setup to return nothing", "a promise", "setup registers handlers at once.");
    }
  };
  return { ...module, setup };
}

function loadingHint(thrown: unknown): string {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  if (code === "ERR_MODULE_NOT_FOUND") {
    return "Install the package beside the file, or mend the path; the kit is unsinkable-telegram-bot/kit.";
  }
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") return "A bot's file ends in .ts, .mts, .js or .mjs.";
  if (code.includes("TYPESCRIPT_SYNTAX") || thrown instanceof SyntaxError) {
    return "Node.js removes types, but no enum, namespace or parameter property.";
  }
  return "The file has to be mended.";
}

/** Name, message and place of what was thrown. */
function describeThrown(thrown: unknown, file: string): string {
  if (!(thrown instanceof Error)) return `${kindOf(thrown)} that was thrown`;
  const { message, name, stack = "" } = thrown;
  const paths = [pathToFileURL(file).href, file].map(escaped).join("|");
  const place = new RegExp(`(?:${paths})\\S*?:(\\d+)`).exec(stack)?.[1];
  const first = message.split("\n", 1)[0] ?? "";
  return `${name}: ${first}${place === undefined ? "" : ` (line ${place})`}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The path from the working directory, when that is shorter. */
function shownPath(file: string): string {
  const short = relative(process.cwd(), file);
  return short !== "" && short.length < file.length ? short : file;
}
