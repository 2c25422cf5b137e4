/**
 * Fresh module: loads a bot's file anew for every life, so that what it keeps in variables is gone
 * after a death, as it is in reality.
 *
 * Files of the bot get a number behind their address, which makes them new to Node.js; packages, the kit
 * and the engine stay as they are.
 */
import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ConfigurationError } from "../../bot/core/errors.ts";
import { resolveForModules } from "../../bot/kit/loading/kit-resolution.ts";
import { loadModule } from "../../bot/kit/loading/load-module.ts";
import { moduleProblems } from "../../bot/kit/loading/module-form.ts";
import type { BotModule } from "../../bot/kit/module.ts";

const projectUrl = new URL("../../", import.meta.url).href;
const lifePattern = /[?&]life=(\d+)/;

let lives = 0;
let registered = false;

/** Makes the bot of one life. */
export type MakeModule = () => Promise<BotModule>;

/**
 * @param bot Path of a bot's file, or a module. Of a module only what `setup` makes is new in each life.
 * @throws {ConfigurationError} when it is no bot.
 */
export async function prepareModule(bot: BotModule | string): Promise<MakeModule> {
  if (typeof bot !== "string") {
    const problems = moduleProblems(bot, "survives", "the given module");
    if (problems.length > 0) throw new ConfigurationError(problems);
    return async () => bot;
  }
  const file = bot.startsWith("file:") ? fileURLToPath(bot) : bot;
  // This says what is wrong with it.
  await loadModule({ file, source: "crash test" });
  loadFresh();
  return async () => {
    const address = `${pathToFileURL(file).href}?life=${++lives}`;
    return ((await import(address)) as { readonly default: BotModule }).default;
  };
}

function loadFresh(): void {
  if (registered) return;
  registered = true;
  resolveForModules();
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      const life = lifePattern.exec(context.parentURL ?? "")?.[1];
      const ours = life !== undefined && isOfBot(found.url);
      return ours ? { ...found, url: `${found.url}?life=${life}` } : found;
    },
  });
}

function isOfBot(url: string): boolean {
  if (!url.startsWith("file:") || url.includes("/node_modules/") || lifePattern.test(url))
    return false;
  const path = url.startsWith(projectUrl) ? url.slice(projectUrl.length) : "";
  return !/^(?:bot\/(?!shop\/)|lab\/|sandbox\/)/.test(path);
}
