/** The drill: breaks a real running bot on purpose, and reports what happened. `--help` says how. */
import { allFaults } from "./drill/faults/all.ts";
import { runFault } from "./drill/run-fault.ts";

const only = process.argv[2]?.split(",");
for (const f of allFaults.filter((x) => !only || only.includes(x.name))) {
  const t = performance.now();
  const r = await runFault(f, { seed: 1 }, (line) => console.log(`   ${line}`));
  console.log(
    f.name,
    r.outcome,
    r.detectedAfterMs,
    r.recoveredAfterMs,
    r.judgement && { ...r.judgement, problems: undefined },
    r.reasons.slice(0, 8),
    `${((performance.now() - t) / 1000).toFixed(1)} s`,
  );
}
