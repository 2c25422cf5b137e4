/** The README's example is a program, and it works. */
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { node } from "../../lab/drill/bot-process.ts";
import { operationNames } from "../../sandbox/control/operations.ts";
import { sandboxToken } from "../../sandbox/sandbox.ts";

const folder = new URL("../../sandbox/", import.meta.url);
const readme = readFileSync(new URL("README.md", folder), "utf8");
const { name } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8")) as {
  readonly name: string;
};

test("the example for testing any bot runs, and finds nothing wrong", async () => {
  const [, code = ""] = /<!-- example -->\n```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(code).toContain("new Sandbox");
  // Here the package is not installed, so the example takes the sources beside it.
  const file = fileURLToPath(new URL(`example-${process.pid}.ts`, folder));
  writeFileSync(file, code.replace(`"${name}"`, '"./sandbox.ts"'));
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

test("the example for GitHub Actions names the program, its token and its addresses", () => {
  const [, workflow = ""] = /<!-- actions -->\n```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(workflow).toContain(`npx ${name} `);
  expect(workflow).toContain(`TELEGRAM_BOT_TOKEN: "${sandboxToken}"`);
  expect(workflow).toContain("http://127.0.0.1:3002/sandbox/violations");
});
