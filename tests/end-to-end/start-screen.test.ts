/** Start screen: the real bot at a pseudo-terminal, which `script` makes. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { eventually, node } from "../../lab/drill/bot-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("at a terminal one screen stands above the warnings, and Ctrl+C ends it with 0", {
  timeout: 90_000,
}, async (context) => {
  if (spawnSync("script", ["--version"]).status !== 0) context.skip("there is no script here");
  const directory = mkdtempSync(join(tmpdir(), "start-screen-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const logs = join(directory, "logs");
  const child = spawn("script", ["-qec", `exec "${node}" bot/start.ts`, "/dev/null"], {
    cwd: root,
    env: {
      PATH: process.env["PATH"],
      TERM: "xterm",
      NO_COLOR: "1",
      NODE_ENV: "development",
      DATA_DIR: join(directory, "data"),
      LOG_DIR: logs,
      MONITORING_PORT: "0",
      SANDBOX_PORT: "0",
      MINI_APP_PORT: "0",
    },
  });
  const ended = once(child, "exit");
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });

  await eventually("the screen and a warning beneath it", async () =>
    /The bot is up[\s\S]*Stop {7}Ctrl\+C[\s\S]* WARN /.test(shown),
  );
  expect(shown).toMatch(/Chat {7}http:\/\/127\.0\.0\.1:\d+\/ /);
  expect(shown).toMatch(/Dashboard {2}http:\/\/127\.0\.0\.1:\d+\/ /);
  expect(shown).not.toMatch(/component\.started|\{"at"/);
  expect(shown).not.toContain("\u001b");
  expect(shown.indexOf(" WARN ")).toBeGreaterThan(shown.indexOf("Ctrl+C"));
  const [name = ""] = readdirSync(logs).filter((entry) => entry.endsWith(".log"));
  expect(readFileSync(join(logs, name), "utf8")).toContain('"event":"component.started"');

  child.stdin.write("\u0003");
  expect(await ended).toEqual([0, null]);
  expect(shown).toContain("Stopping");
});
