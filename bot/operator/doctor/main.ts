/**
 * Doctor: `npm run doctor -- [--json] [--before-start] [--only CHECK]…`. Examines this installation,
 * changes nothing, and says how to mend everything that is wrong. Exits with 1 when something is wrong.
 */
import { parseArgs } from "node:util";
import { UsageError } from "../../core/errors.ts";
import { describeError, exitCodeOf } from "../../core/exit-code.ts";
import { understood } from "../../core/program-arguments.ts";
import { checkNames, examine, toText } from "./doctor.ts";
import { enterInstallation } from "./this-installation.ts";

const usage = "Usage: npm run doctor [-- [--json] [--before-start] [--only CHECK]…]";

try {
  await run();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error);
}

async function run(): Promise<void> {
  const { "before-start": beforeStart, help, json, only } = readArguments();
  if (help) return void process.stdout.write(`${usage}\n`);
  const unknown = only.find((name) => !checkNames.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--only: there is no check ${JSON.stringify(unknown)}`, {
      hint: `There are ${[...new Set(checkNames)].map((name) => JSON.stringify(name)).join(", ")}.`,
    });
  }
  const installation = await enterInstallation();
  const findings = await examine(installation, beforeStart ? "before-start" : "running", only);
  const healthy = findings.every(({ level }) => level !== "wrong");
  process.stdout.write(
    json ? `${JSON.stringify({ healthy, findings }, undefined, 2)}\n` : toText(findings),
  );
  process.exitCode = healthy ? 0 : 1;
}

function readArguments() {
  return understood(usage, () =>
    parseArgs({
      options: {
        "before-start": { type: "boolean", default: false },
        only: { type: "string", multiple: true, default: [] },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }),
  ).values;
}
