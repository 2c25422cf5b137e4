/** Command environment: what the operator's own commands inherit of our variables: all but secrets. */
import type { Environment } from "./fault-tolerance-config.ts";
import { readSecretsFile, type SecretsFile } from "./secrets-file.ts";
import { type ModuleSettings, settingRows } from "./settings-table.ts";

/** A shorter text is found in other variables by chance. */
const tellingLengthMin = 12;

/**
 * The variables without our secret settings, and without those that repeat a secret's text, as PM2's
 * copies of the environment do. What stands in `.env` alone is not inherited.
 *
 * @param secretsFile The `.env`, for the secrets in it.
 */
export function commandEnvironment(
  env: Environment,
  secretsFile?: SecretsFile,
  module?: ModuleSettings,
): Environment {
  const { values } = secretsFile ? readSecretsFile(secretsFile) : { values: {} };
  const names = settingRows(module)
    .filter(({ setting }) => setting.kind.secret)
    .flatMap(({ setting: { alias, variable } }) => (alias ? [variable, alias] : [variable]));
  const secrets = [env, values]
    .flatMap((given: Environment) => names.flatMap((name) => given[name]?.split(",") ?? []))
    .filter((text) => text.length >= tellingLengthMin);
  const kept = Object.entries(env).filter(
    ([name, value = ""]) =>
      !names.includes(name) && !secrets.some((secret) => value.includes(secret)),
  );
  return Object.fromEntries(kept);
}
