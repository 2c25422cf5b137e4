/**
 * The drill of several processes on one PostgreSQL with a standby, in short: a kill, a cut, a link that
 * says nothing, and the database's own restart, judged by the history checker.
 */
import { expect, onTestFailed, test } from "vitest";
import { machineFaults } from "../../lab/drill/machines/faults.ts";
import { findPostgres } from "../../lab/drill/machines/postgres-programs.ts";
import { runFewMachineFaults } from "../../lab/drill/machines/run.ts";

const missing = findPostgres() ? "" : " (skipped: PostgreSQL's programs are not installed)";
const played = [
  "machines-kill-sender",
  "machines-cut-in-answer",
  "machines-network-down",
  "machines-postgres-restart",
];

test.skipIf(missing !== "")(
  `P1 to P6: two processes with a synchronous standby keep every promise through four faults${missing}`,
  { timeout: 240_000 },
  async () => {
    const lines: string[] = [];
    onTestFailed(() => console.log(lines.join("\n")));
    const faults = machineFaults.filter(({ name }) => played.includes(name));
    const report = await runFewMachineFaults(faults, { machines: 2, seed: 1 }, (line) =>
      lines.push(line),
    );
    // Times depend on the machine, so the drill judges them, and this test does not.
    expect(report.reasons).toEqual([]);
    expect(report.judgement).toMatchObject({ lost: 0, doubled: 0, disorder: 0, refused: 0 });
    expect(report.judgement?.updates).toBeGreaterThan(50);
  },
);
