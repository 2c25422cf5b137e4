/** Unknown variables: names that look like settings of ours but are none, with the name meant. */
import type { ConfigurationProblem } from "../core/errors.ts";
import type { PlacedSetting } from "./settings-table.ts";

/** A variable that begins like this is meant for this bot. */
const ourPrefixes = [
  "BACKUPS_",
  "BOT_",
  "DEAD_LETTERS_",
  "DEDUPE_",
  "DRAIN_",
  "ENCRYPTION_",
  "FLOOD_",
  "HANDLER_",
  "INTAKE_",
  "LOG_",
  "MINI_APP_",
  "MONITORING_",
  "QUEUE_",
  "SANDBOX_",
  "STORAGE_",
  "TELEGRAM_",
];

/** Names that other programs use too: a name that resembles one is not ours (HTTP_PROXY). */
const commonNames = new Set(["NODE_ENV", "HTTPS_PROXY"]);

/** Typing errors that are recognised in a name without one of our prefixes. */
const slipsMax = 2;
/** Short names resemble each other by chance. */
const slipLengthMin = 10;

/**
 * One problem for each variable that is meant for this bot and unknown to it. Values are not shown.
 *
 * @param prefixes Beginnings of the module's own variables. Default: none.
 */
export function findUnknownVariables(
  names: readonly string[],
  rows: readonly PlacedSetting[],
  prefixes: readonly string[] = [],
): readonly ConfigurationProblem[] {
  const knownNames = rows.flatMap(({ setting }) =>
    setting.alias ? [setting.variable, setting.alias] : [setting.variable],
  );
  const ours = [...ourPrefixes, ...prefixes];
  return names.flatMap((variable) => {
    if (knownNames.includes(variable)) return [];
    const isOurs = ours.some((prefix) => variable.startsWith(prefix));
    const meant = isOurs ? nearestName(variable, knownNames) : slipOf(variable, knownNames);
    if (meant === undefined) return [];
    return {
      variable,
      expected: "a variable that this bot knows",
      received: "an unknown name",
      hint: `Did you mean ${meant}? Otherwise remove it; .env.example lists them all.`,
    };
  });
}

/** The known name that was mistyped; `undefined` when this is another program's variable. */
function slipOf(variable: string, knownNames: readonly string[]): string | undefined {
  if (variable.length < slipLengthMin) return undefined;
  // Only names of about this length are compared: the environment has many, and each start reads it.
  const alike = knownNames.filter((name) => Math.abs(name.length - variable.length) <= slipsMax);
  const nearest = nearestName(variable, alike);
  if (nearest === undefined || commonNames.has(nearest)) return undefined;
  return editDistance(variable, nearest) <= slipsMax ? nearest : undefined;
}

function nearestName(variable: string, knownNames: readonly string[]): string | undefined {
  const distances = knownNames.map((name) => editDistance(variable, name));
  return knownNames[distances.indexOf(Math.min(...distances))];
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
          ? (beforeLast[j - 2] ?? 0) + 1
          : Number.POSITIVE_INFINITY;
      row.push(Math.min(replaced, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
