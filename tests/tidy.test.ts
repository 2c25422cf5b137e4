/** Tidy: what no tool knows of our own rules. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { settingRows } from "../bot/config/settings-table.ts";
import { shopSettings } from "../bot/shop/settings.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, "utf8");
const tracked = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter(Boolean);

test("docs/configuration.md has one row for every setting the program reads", () => {
  const [, section = ""] = read("docs/configuration.md").split(/^## (?:Settings|Rules .*)$/m);
  const documented = matches(section, /^\| `([A-Z_]+)`/gm);
  expect(documented.length).toBeGreaterThan(40);
  expect(documented.sort()).toEqual(
    settingRows(shopSettings)
      .map(({ setting }) => setting.variable)
      .sort(),
  );
});

test.each(["README.md", "README.zh-CN.md"])("%s has at most 130 lines", (path) => {
  expect(read(path).trimEnd().split("\n").length).toBeLessThanOrEqual(130);
});

test("bot/utils is exactly its six faces, and beside each the folder of its name", () => {
  const faces = [
    "fault-tolerance-manager",
    "health-monitor",
    "logger",
    "message-queue",
    "process-monitor",
    "reconnect-manager",
  ];
  expect(readdirSync(`${root}/bot/utils`).sort()).toEqual(
    faces.flatMap((face) => [face, `${face}.ts`]).sort(),
  );
});

test("error codes and event types are unique", () => {
  const codes = matches(read("bot/core/errors.ts"), /code = "([A-Z_]+)"/g);
  const types = matches(read("bot/core/events.ts"), /type: "([a-z.-]+)"/g);
  expect(codes.length).toBeGreaterThan(15);
  expect(types.length).toBeGreaterThan(20);
  expect(new Set(codes).size).toBe(codes.length);
  expect(new Set(types).size).toBe(types.length);
});

test("dependency-cruiser sees the files it judges", () => {
  const output = execFileSync(
    `${root}/node_modules/.bin/depcruise`,
    ["bot", "sandbox", "lab", "examples", "tests", "--output-type", "json"],
    { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  const { modules } = JSON.parse(output) as { modules: { source: string }[] };
  const seen = new Set(modules.map((module) => module.source));
  const sources = tracked.filter((path) => /^(bot|sandbox|lab|examples|tests)\/.*\.ts$/.test(path));
  expect(sources.length).toBeGreaterThan(480);
  expect(sources.filter((path) => !seen.has(path))).toEqual([]);
});

test("every class that is a component runs the lifecycle conformance suite in its own test", () => {
  const declared = /^export class \w+(?:<.*>)? implements Component\b/m;
  const components = tracked
    .filter((path) => /^bot\/.*\.ts$/.test(path))
    .filter((path) => declared.test(read(path)));
  expect(components.length).toBeGreaterThan(10);
  const testOf = (path: string) => path.replace("bot/", "tests/").replace(".ts", ".test.ts");
  const runsIt = (path: string) =>
    tracked.includes(path) && read(path).includes("\nlifecycleConformance(");
  expect(components.filter((path) => !runsIt(testOf(path)))).toEqual([]);
});

test("ARCHITECTURE.md has every folder, and what the linter lets it import", () => {
  const table = new Map(
    matches(read("ARCHITECTURE.md"), /^(\| `[\w/-]+\/` \|.*\|)$/gm).map((row) => {
      const cells = row.split("|").map((cell) => cell.trim());
      return [cells[1]?.slice(1, -2), cells[3]] as const;
    }),
  );
  const foldersOf = (path: string) =>
    readdirSync(`${root}/${path}`, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => (path === "." ? name : `${path}/${name}`));
  const rooms = [...foldersOf("bot"), ...foldersOf("lab"), "examples", "sandbox", "tests"];
  expect([...table.keys()].sort()).toEqual(rooms.sort());

  const linter = read(".dependency-cruiser.cjs");
  const rules = [...linter.matchAll(/ only\(\s*"([\w/]+)",\s*\[([^\]]*)\]/g)];
  expect(rules.length).toBeGreaterThan(10);
  for (const [, folder = "", allowed = ""] of rules) {
    const names = [...allowed.matchAll(/"(?:bot\/)?([^"]+)"/g)].map(([, name]) => name);
    expect(table.get(folder), folder).toBe(names.join(", ") || "nothing");
  }
});

test("shell scripts are valid", () => {
  for (const path of tracked.filter((name) => name.endsWith(".sh") || name === ".ci/run")) {
    execFileSync("bash", ["-n", `${root}/${path}`]);
  }
});

test("the lockfile names no registry", () => {
  expect(read("package-lock.json")).not.toMatch(/"resolved": *"http/);
});

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] as string);
}
