/** Define bot: makes a module of what its author writes. */
import type { BotModule } from "./module.ts";
import type { ModuleSettings, SettingRows, ValuesOf } from "./settings.ts";

/** A module as it is written; the name may be left out. */
export type BotDefinition<Rows extends SettingRows = SettingRows> = Omit<
  BotModule<ValuesOf<Rows>>,
  "name" | "settings"
> & {
  /** Stable and short, such as `shop`. Default: "bot". */
  readonly name?: string;
  /** Its own settings; `kit.settings` holds their values. Default: none. */
  readonly settings?: ModuleSettings<Rows>;
};

/**
 * The default export of a bot's file. Only types are checked here; what is wrong with a module is
 * said when it is loaded.
 */
export function defineBot<Rows extends SettingRows>(definition: BotDefinition<Rows>): BotModule {
  // `kit.settings` holds the values of exactly these rows, so the module fits where any is expected.
  return { name: "bot", ...definition } as unknown as BotModule;
}
