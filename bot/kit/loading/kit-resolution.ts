/**
 * Kit resolution: lets the file of a bot import the kit and Telegraf from wherever it lies.
 *
 * `unsinkable-telegram-bot/kit` is always this installation's own, so that a file beside several
 * versions gets that of the one which runs. Any other package is first looked for beside the file, and
 * then among the packages of this installation.
 */
import { registerHooks } from "node:module";

const packageUrl = new URL("../../../package.json", import.meta.url).href;
const packageName = "unsinkable-telegram-bot";

let registered = false;

/** Has an effect on everything that is imported from now on; a second call has none. */
export function resolveForModules(): void {
  if (registered) return;
  registered = true;
  registerHooks({
    resolve: (specifier, context, next) => {
      const ours = { ...context, parentURL: packageUrl };
      if (specifier.startsWith(`${packageName}/`)) return next(specifier, ours);
      if (/^(?:[./#]|[a-z]+:)/.test(specifier)) return next(specifier, context);
      try {
        return next(specifier, context);
      } catch (notBeside) {
        const here = attempt(() => next(specifier, ours));
        // This error names the file that imports it.
        if (here === undefined) throw notBeside;
        return here;
      }
    },
  });
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    // The package is not here either.
    return undefined;
  }
}
