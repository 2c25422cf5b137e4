/** Settings text: the table of settings as `--help`, as Markdown and as `.env.example`. */
import { type Profile, profiles, type Setting } from "./setting.ts";
import { type PlacedSetting, rows } from "./settings.ts";

const partTitles: Readonly<Record<PlacedSetting["part"], string>> = {
  telegram: "Telegram",
  intake: "Intake of updates",
  queue: "Message queue",
  alerts: "Alerts",
  rapidRequests: "Requests of one person",
  flood: "Telegram's sending limits",
  storage: "Storage",
  log: "Log",
  monitoring: "Monitoring API",
  shop: "Shop",
  process: "The process itself",
  sandbox: "Sandbox",
  lifecycle: "Profile and life of the process",
};

/** All settings for a terminal. */
export function helpText(): string {
  const parts = byPart().map(([title, settings]) => {
    const lines = settings.map((setting) => {
      const names = [setting.variable, ...(setting.alias ? [setting.alias] : [])].join(", ");
      return `  ${names}\n      ${setting.sentence}\n      ${facts(setting)}`;
    });
    return `${title}\n${lines.join("\n")}`;
  });
  return `${parts.join("\n\n")}\n`;
}

/** All settings as the table in the README. */
export function settingsTable(): string {
  const lines = rows.map(({ setting }) => {
    const names = [setting.variable, ...(setting.alias ? [setting.alias] : [])];
    const cells = [
      names.map((name) => `\`${name}\``).join(" or "),
      describeDefault(setting, (text) => `\`${text}\``),
      setting.kind.range,
      setting.sentence,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return ["| Variable | Default | Values | Meaning |", "|---|---|---|---|", ...lines, ""].join(
    "\n",
  );
}

/** The contents of `.env.example`: everything commented out, at its default. */
export function envExample(): string {
  const parts = byPart().map(([title, settings]) => {
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

function byPart(): readonly (readonly [string, readonly Setting<unknown>[]])[] {
  return Object.entries(partTitles).map(([part, title]) => [
    title,
    rows.filter((row) => row.part === part).map((row) => row.setting),
  ]);
}

function facts(setting: Setting<unknown>): string {
  return `Values: ${setting.kind.range}. Default: ${describeDefault(setting, (text) => text)}.`;
}

/** The default, and where a profile has one of its own, that too. */
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
