/** Settings: what the rows of a module's own settings are made of. */
export {
  accessToken,
  amount,
  choice,
  duration,
  flag,
  hostName,
  integer,
  list,
  megabytes,
  miniAppAddress,
  optional,
  path,
  type Setting,
  secretAddress,
  setting,
  text,
  webAddress,
} from "../config/setting-kinds.ts";
export type { ModuleSettings, SettingRows, ValuesOf } from "../config/settings-table.ts";
