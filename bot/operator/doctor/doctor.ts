/** Doctor: runs every check in order, and writes what they found as text. */
import type { AnyCheck, Finding } from "./check.ts";
import { databaseChecks } from "./checks/database.ts";
import { directoryChecks } from "./checks/directories.ts";
import { monitoringChecks } from "./checks/monitoring.ts";
import { pm2Checks } from "./checks/pm2.ts";
import { postgresChecks } from "./checks/postgres.ts";
import { restartChecks } from "./checks/restarts.ts";
import { runtimeChecks } from "./checks/runtime.ts";
import { settingsChecks } from "./checks/settings.ts";
import { updateChecks } from "./checks/update.ts";
import type { Installation } from "./installation.ts";

/** In this order, because an early fault often causes the later ones. */
const checks: readonly AnyCheck[] = [
  ...runtimeChecks,
  ...settingsChecks,
  ...directoryChecks,
  ...databaseChecks,
  ...postgresChecks,
  ...pm2Checks,
  ...monitoringChecks,
  ...restartChecks,
  ...updateChecks,
];

/** What `only` may name. */
export const checkNames: readonly string[] = checks.map(({ name }) => name);

/**
 * @param situation Whether the bot should be running, or is about to be started.
 * @param only Names of the checks that are wanted; all when empty.
 */
export async function examine(
  installation: Installation,
  situation: "running" | "before-start",
  only: readonly string[] = [],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) {
    const wanted = only.length === 0 || only.includes(check.name);
    if (wanted && (check.applies === "always" || check.applies === situation)) {
      findings.push(...(await check.examine(installation)));
    }
  }
  return findings;
}

const signs: Readonly<Record<Finding["level"], string>> = {
  fine: "ok  ",
  doubtful: "??  ",
  wrong: "NO  ",
};

export function toText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, level, mend, says }) => [
    `${signs[level]}${check.padEnd(width)}  ${says}`,
    ...(mend === undefined ? [] : [`${" ".repeat(width + 6)}mend: ${mend}`]),
  ]);
  const count = (level: Finding["level"]) => findings.filter((one) => one.level === level).length;
  const summary = `${count("fine")} fine, ${count("doubtful")} doubtful, ${count("wrong")} wrong`;
  return `${[...lines, "", summary].join("\n")}\n`;
}
