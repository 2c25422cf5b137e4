/**
 * Doctor: `npm run doctor -- [--json] [--before-start] [--only CHECK]…`. Examines this installation,
 * changes nothing, and says how to mend everything that is wrong. Exits with 1 when something is wrong.
 */
import { parseArgs } from "node:util";
import { examine, toText } from "./doctor.ts";
import { enterInstallation } from "./this-installation.ts";

const { values } = parseArgs({
  options: {
    "before-start": { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
  },
});

const installation = await enterInstallation();
const findings = await examine(
  installation,
  values["before-start"] ? "before-start" : "running",
  values.only,
);
const healthy = findings.every(({ level }) => level !== "wrong");
process.stdout.write(
  values.json ? `${JSON.stringify({ healthy, findings }, undefined, 2)}\n` : toText(findings),
);
process.exitCode = healthy ? 0 : 1;
