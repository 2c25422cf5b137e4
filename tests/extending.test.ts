/** Extending: applies docs/extending.md to a copy of the project, as a reader would. */
import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const document = readFileSync(join(root, "docs/extending.md"), "utf8");

interface Block {
  readonly path: string;
  readonly language: string;
  readonly text: string;
}

/** The blocks in order, each with the path named last before it. */
function readBlocks(): readonly Block[] {
  let path = "";
  const parts = document.matchAll(/^\*\*`([^`]+)`\*\*$|^```(\w*)\n([\s\S]*?)^```$/gm);
  return [...parts].flatMap(([, named, language = "", text = ""]) => {
    path = named ?? path;
    return named === undefined ? [{ path, language, text }] : [];
  });
}

/** Applies a diff; its lines must be found in exactly one place of the text. */
function applyDiff(before: string, diff: string): string {
  const lines = diff.split("\n").slice(0, -1);
  const part = (signs: string) =>
    lines.filter((line) => signs.includes(line.charAt(0))).map((line) => `${line.slice(1)}\n`);
  const found = before.split(part(" -").join(""));
  expect(found.length, `places in the file where this stands:\n${diff}`).toBe(2);
  return found.join(part(" +").join(""));
}

const blocks = readBlocks();
const written = blocks.filter(({ language }) => language === "ts").map(({ path }) => path);

test("what docs/extending.md says compiles, is lawful, and works", {
  timeout: 240_000,
}, async () => {
  const copy = mkdtempSync(join(tmpdir(), "extending-"));
  onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
  const made = [".env.example", "docs/configuration.md"];
  const settings = ["biome.json", "package.json", "tsconfig.json", "vitest.config.ts"];
  for (const name of [
    "bot",
    "sandbox",
    "lab",
    "examples",
    "tests",
    ".dependency-cruiser.cjs",
    ...settings,
    ...made,
  ]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const env = { PATH: process.env["PATH"], NO_COLOR: "1" };
  const run = (tool: string, args: readonly string[]) =>
    promisify(execFile)(join("node_modules/.bin", tool), args, { cwd: copy, env }).catch(
      ({ stderr, stdout }: { stderr: string; stdout: string }) => {
        throw new Error(`${tool} ${args.join(" ")}\n${stdout}\n${stderr}`);
      },
    );

  for (const { language, path, text } of blocks) {
    const file = join(copy, path);
    expect(existsSync(file), path).toBe(language === "diff");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, language === "diff" ? applyDiff(readFileSync(file, "utf8"), text) : text);
  }
  const changed = [...new Set(blocks.map(({ path }) => path))];
  await run("biome", ["ci", "--colors=off", "--vcs-enabled=false", ...changed]);
  await run("depcruise", ["bot", "sandbox", "lab", "examples", "tests", "--output-type", "err"]);
  await run("node", ["bot/operator/write-documents.ts"]);
  for (const name of made) expect(readFileSync(join(copy, name), "utf8")).toContain("RATES_URL");
  const project = { extends: "./tsconfig.json", include: changed };
  writeFileSync(join(copy, "tsconfig.extended.json"), JSON.stringify(project));
  await run("tsc", ["--noEmit", "-p", "tsconfig.extended.json"]);
  const tests = written.filter((path) => path.endsWith(".test.ts"));
  expect(tests.length).toBeGreaterThan(4);
  const { stdout } = await run("vitest", ["run", ...tests]);
  expect(stdout).toMatch(/Test Files.*\b5 passed/);
});
