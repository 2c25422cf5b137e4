/** The README's example is a program, and it works. */
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { node } from "../../lab/drill/bot-process.ts";
import { operationNames } from "../../sandbox/control/operations.ts";

const folder = new URL("../../sandbox/", import.meta.url);
const readme = readFileSync(new URL("README.md", folder), "utf8");

test("the example for testing any bot runs, and finds nothing wrong", async () => {
  const [, code = ""] = /<!-- example -->\n```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(code).toContain("new Sandbox");
  // The file has to be in the folder to which its imports are relative.
  const file = fileURLToPath(new URL(`example-${process.pid}.ts`, folder));
  writeFileSync(file, code);
  onTestFinished(() => rmSync(file, { force: true }));
  const { stdout } = await promisify(execFile)(node, [file], { timeout: 20_000 });
  expect(stdout.trim()).toBe("[]");
});

test("the README names operations that exist", () => {
  const named = [...readme.matchAll(/`(\w+)`? \(|`(\w+)\(\)`/g)].map(
    (match) => match[1] ?? match[2],
  );
  expect(named.length).toBeGreaterThan(3);
  for (const name of named) {
    if (/^[a-z]+[A-Z]|^(journal|facts|violations|outage|redeliver|migrate)$/.test(name ?? "")) {
      expect(operationNames).toContain(name);
    }
  }
});
