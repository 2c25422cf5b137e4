/** Settings text: the table of settings as `--help`, as Markdown and as `.env.example`. */
import { configRules } from "./consistency.ts";
import { type Profile, profiles, type Setting } from "./setting-kinds.ts";
import { type ModuleSettings, type PlacedSetting, settingRows } from "./settings-table.ts";

const partTitles: Readonly<Record<Exclude<PlacedSetting["part"], "module">, string>> = {
  telegram: "Telegram",
  intake: "Intake of updates",
  miniApp: "Mini App",
  queue: "Message queue",
  alerts: "Alerts",
  rapidRequests: "Requests of one person",
  flood: "Telegram's sending limits",
  storage: "Storage",
  log: "Log",
  monitoring: "Monitoring API",
  process: "The process itself",
  sandbox: "Sandbox",
  lifecycle: "Profile and life of the process",
};

/** All settings for a terminal. */
export function helpText(module?: ModuleSettings): string {
  const parts = byPart(module).map(([title, settings]) => {
    const lines = settings.map((setting) => {
      const names = [setting.variable, ...(setting.alias ? [setting.alias] : [])].join(", ");
      return `  ${names}\n      ${setting.sentence}\n      ${facts(setting)}`;
    });
    return `${title}\n${lines.join("\n")}`;
  });
  return `${parts.join("\n\n")}\n`;
}

/** The whole of docs/configuration.md. */
export function configurationDocument(module?: ModuleSettings): string {
  const parts = byPart(module).map(([title, settings]) => `### ${title}\n\n${tableOf(settings)}`);
  const differing = settingRows(module).flatMap(({ setting: { defaults, variable } }) => {
    if (!defaults || new Set(Object.values(defaults)).size === 1) return [];
    return [[code(variable), ...profiles.map((profile) => code(defaults[profile]))]];
  });
  const rules = configRules.map(({ expected, hint, variables }) => {
    const [changed, ...others] = variables;
    return [code(changed), expected, others.map(code).join(", "), hint];
  });
  return `# Configuration

<!-- Written by \`npm run docs\` from bot/config/settings-table.ts and consistency.ts: change those. -->

Settings are environment variables, or lines of a \`.env\` with mode 600 beside \`package.json\`; a
variable wins over the file, and one that is blank counts as not set. Paths count from the project's
directory. They are read once, at the start, and cannot be changed afterwards, except the log's level
(\`POST /api/log-level\`).

\`\`\`sh
cp .env.example .env && chmod 600 .env   # every line is there, commented out, at its default
npm start -- --help                      # this page's tables, in the terminal
\`\`\`

Whatever is wrong is reported at once, every problem in one go, with what was expected, what came and
what to do; then the process exits with code 78 ([all exit codes](operations.md#it-does-not-start)), and
nothing was opened. A name that looks like one of
ours and is none is a problem too, with the name that was probably meant. Secrets are never shown.

## Profiles

\`NODE_ENV\` chooses a set of defaults: \`development\` to try things, \`production\` for people, \`test\` for
tests. Every setting can be given in any of them. Only these differ:

${markdownTable(["Variable", ...profiles], differing)}
## Settings

${parts.join("\n")}
## Rules between settings

Each of these is checked at the start, when none of the variables concerned is wrong by itself.

${markdownTable(["Variable", "Has to be", "In view of", "Why, and what to do"], rules)}`;
}

function tableOf(settings: readonly Setting<unknown>[]): string {
  const lines = settings.map((setting) => [
    [setting.variable, ...(setting.alias ? [setting.alias] : [])].map(code).join(" or "),
    describeDefault(setting, code),
    setting.kind.range,
    setting.sentence,
  ]);
  return markdownTable(["Variable", "Default", "Values", "Meaning"], lines);
}

function markdownTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return `${row(head)}|${"---|".repeat(head.length)}\n${lines.map(row).join("")}`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** The contents of `.env.example`: every setting commented out, at its default. */
export function envExample(module?: ModuleSettings): string {
  const parts = byPart(module).map(([title, settings]) => {
    const entries = settings.map((setting) => {
      const written = setting.defaults?.development ?? "";
      return `# ${setting.sentence}\n# ${facts(setting)}\n# ${setting.variable}=${written}\n`;
    });
    return `# ---- ${title} ----\n\n${entries.join("\n")}`;
  });
  return `# Copy to .env, remove the "# " before what you change, and run: chmod 600 .env
# Environment variables win over this file. Every line is optional.

${parts.join("\n")}`;
}

function byPart(
  module?: ModuleSettings,
): readonly (readonly [string, readonly Setting<unknown>[]])[] {
  const rows = settingRows(module);
  const titles = [...Object.entries(partTitles), ...(module ? [["module", module.title]] : [])];
  return titles.map(([part, title = ""]) => [
    title,
    rows.filter((row) => row.part === part).map((row) => row.setting),
  ]);
}

function facts(setting: Setting<unknown>): string {
  return `Values: ${setting.kind.range}. Default: ${describeDefault(setting, (text) => text)}.`;
}

/** The default, and the defaults of profiles that differ. */
function describeDefault(
  { defaults, absent }: Setting<unknown>,
  write: (text: string) => string,
): string {
  if (!defaults) return `none (${absent})`;
  const others = profiles
    .filter((profile) => defaults[profile] !== defaults.development)
    .map((profile: Profile) => `${write(defaults[profile])} in ${profile}`);
  return [write(defaults.development), ...others].join(", ");
}
