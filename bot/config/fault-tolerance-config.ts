/**
 * Configuration: from environment variables to one frozen, typed value, or to every problem at once.
 *
 * The settings themselves are in `settings-table.ts`, the rules between them in `consistency.ts`. Pure:
 * the caller has read the environment and the `.env`.
 */
import { ConfigurationError, type ConfigurationProblem } from "../core/errors.ts";
import { configRules } from "./consistency.ts";
import { readSecretsFile, type SecretsFile } from "./secrets-file.ts";
import { type Profile, profiles, type Setting } from "./setting-kinds.ts";
import {
  type FaultToleranceConfig,
  type ModuleSettings,
  type PlacedSetting,
  settingRows,
  settings,
} from "./settings-table.ts";
import { findUnknownVariables } from "./unknown-variables.ts";

export type { FaultToleranceConfig } from "./settings-table.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The configuration that these variables describe. A variable that is blank counts as not set.
 *
 * @param module Settings of the module that is run. Default: it has none.
 * @param secretsFile The `.env`, if there is one; environment variables win over it.
 * @throws {ConfigurationError} naming every problem of the variables and of the file.
 */
export function parseConfig(
  env: Environment,
  secretsFile?: SecretsFile,
  module?: ModuleSettings,
): FaultToleranceConfig {
  const rows = settingRows(module);
  const file = secretsFile ? readSecretsFile(secretsFile) : { values: {}, problems: [] };
  const given = { ...withoutBlanks(file.values), ...withoutBlanks(env) };
  const profile = profiles.find((name) => name === given[settings.lifecycle.profile.variable]);
  const { values, problems, wrong } = readRows(rows, given, profile ?? "development");
  const found = [...file.problems, ...problems];
  const config = deepFreeze(values) as FaultToleranceConfig;
  found.push(
    ...brokenRules(config, rows, given, wrong),
    ...findUnknownVariables(Object.keys(given), rows, module?.prefixes),
  );
  if (found.length > 0) throw new ConfigurationError(found);
  return config;
}

/** A wrong value is replaced by its default, so that the rules can still be checked. */
function readRows(
  rows: readonly PlacedSetting[],
  given: Readonly<Record<string, string>>,
  profile: Profile,
) {
  const values: Record<string, Record<string, unknown>> = { module: {} };
  const problems: ConfigurationProblem[] = [];
  const wrong = new Set<string>();
  for (const { part, name, setting } of rows) {
    const written = setting.defaults?.[profile];
    const text = givenText(setting, given) ?? written;
    let read = text === undefined ? { value: undefined } : setting.kind.read(text);
    if (!read) {
      wrong.add(setting.variable);
      problems.push(describeWrongValue(setting, given));
      read = written === undefined ? { value: undefined } : setting.kind.read(written);
    }
    problems.push(...aliasProblems(setting, given));
    values[part] = { ...values[part], [name]: read?.value };
  }
  return { values, problems, wrong };
}

function givenText(
  { variable, alias }: Setting<unknown>,
  given: Readonly<Record<string, string>>,
): string | undefined {
  return given[variable] ?? (alias === undefined ? undefined : given[alias]);
}

function describeWrongValue(
  setting: Setting<unknown>,
  given: Readonly<Record<string, string>>,
): ConfigurationProblem {
  const { variable, alias, kind, sentence } = setting;
  return {
    variable: given[variable] === undefined ? (alias ?? variable) : variable,
    expected: kind.expected,
    received: kind.secret ? "[secret]" : show(givenText(setting, given) ?? ""),
    hint: kind.hint ?? sentence,
  };
}

function aliasProblems(
  { variable, alias, kind }: Setting<unknown>,
  given: Readonly<Record<string, string>>,
): readonly ConfigurationProblem[] {
  const other = alias === undefined ? undefined : given[alias];
  if (alias === undefined || other === undefined || (given[variable] ?? other) === other) return [];
  return [
    {
      variable: alias,
      expected: `the same as ${variable}, or nothing`,
      received: kind.secret ? "[secret]" : show(other),
      hint: `Both names mean the same setting; remove ${alias}.`,
    },
  ];
}

function brokenRules(
  config: FaultToleranceConfig,
  rows: readonly PlacedSetting[],
  given: Readonly<Record<string, string>>,
  wrong: ReadonlySet<string>,
): readonly ConfigurationProblem[] {
  return configRules
    .filter(({ variables }) => !variables.some((variable) => wrong.has(variable)))
    .filter((rule) => !rule.holds(config))
    .map(({ variables, expected, hint }) => ({
      variable: variables[0],
      expected,
      received: variables.map((variable) => showGiven(variable, rows, given, config)).join(", "),
      hint,
    }));
}

function showGiven(
  variable: string,
  rows: readonly PlacedSetting[],
  given: Readonly<Record<string, string>>,
  config: FaultToleranceConfig,
): string {
  const setting = rows.find((row) => row.setting.variable === variable)?.setting;
  const text = setting && givenText(setting, given);
  if (text !== undefined) return `${variable}=${setting?.kind.secret ? "[secret]" : show(text)}`;
  const written = setting?.defaults?.[config.lifecycle.profile];
  return written === undefined ? `no ${variable}` : `${variable}=${written} (default)`;
}

/** A secret can be in the wrong variable, so a value that contains a token or a password is not shown. */
const looksSecret = /\d{6,}:[\w-]{24,}|\/\/[^/\s]*:[^/\s]*@/;
const shownLengthMax = 80;

function show(text: string): string {
  if (looksSecret.test(text)) return "[secret]";
  const cut = text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text;
  return JSON.stringify(cut);
}

function withoutBlanks(env: Environment): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [variable, text] of Object.entries(env)) {
    const trimmed = text?.trim();
    if (trimmed) given[variable] = trimmed;
  }
  return given;
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
