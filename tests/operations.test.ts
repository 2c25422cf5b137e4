/** Operations: everything that can call an operator at night has its entry in docs/operations.md. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { exitCode } from "../bot/core/exit-code.ts";
import { strategies } from "../bot/core/recovery.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const document = read("docs/operations.md");

/** The rows of all tables beneath a heading, cell by cell. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const [, section = ""] = document.split(`\n## ${heading}\n`);
  const lines = (section.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

function expectEntries(heading: string, names: readonly string[]): void {
  const rows = rowsUnder(heading);
  expect(names.length).toBeGreaterThan(3);
  expect([...new Set(rows.map(([name = ""]) => name.replaceAll("`", "")))].sort()).toEqual(
    [...new Set(names)].sort(),
  );
  for (const row of rows) for (const cell of row) expect(cell, row[0]).not.toBe("");
}

const probeFiles = readdirSync(new URL("../bot/utils/health-monitor", import.meta.url)).map(
  (name) =>
    read(`bot/utils/health-monitor/${name}`).replace(/\/\*\*[\s\S]*?\*\/|\/\/.*|^import .*$/gm, ""),
);

test("every exit code has its entry, and no other has one", () => {
  expectEntries("It does not start", Object.values(exitCode).map(String));
});

test("every kind of trouble has its entry, and no other has one", () => {
  expectEntries("Incidents, and what the bot tells you by itself", Object.keys(strategies));
});

test("every alert of Prometheus has its entry, and no other has one", () => {
  const alerts = [...read("deploy/prometheus-alerts.yml").matchAll(/- alert: (\w+)/g)];
  expectEntries(
    "Prometheus' alerts",
    alerts.map(([, name = ""]) => name),
  );
});

test("every probe has its entry, and no other has one", () => {
  const named = [...probeFiles, read("bot/enhanced-launcher/health.ts")].flatMap((text) => [
    ...text.matchAll(/name: "([a-z-]+)"/g),
  ]);
  expectEntries(
    "Probes",
    named.map(([, name = ""]) => name),
  );
});

test("every reason that a probe can give is explained", () => {
  const reasons = probeFiles.flatMap((text) =>
    [...text.matchAll(/"([a-z][^"\n]* [^"\n]*)"|`([^`]* [^`]*)`/g)].map(([, plain, template]) =>
      (plain ?? template ?? "").replace(/\$\{[^}]*\}/g, "…"),
    ),
  );
  expect(reasons.length).toBeGreaterThan(15);
  expect(reasons.filter((reason) => !document.includes(`"${reason}"`))).toEqual([]);
});

test("every error that Telegram's refusal of us can have is explained", () => {
  for (const code of ["CONFLICT", "UNAUTHORIZED", "RATE_LIMITED", "NOT_SENT", "BREAKER_OPEN"]) {
    expect(read("bot/core/errors.ts")).toContain(`"TELEGRAM_${code}"`);
    expect(document).toContain(`\`TELEGRAM_${code}\``);
  }
});
