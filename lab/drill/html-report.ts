/**
 * HTML report: the drill's report as one self-contained page, with a timeline of every fault.
 *
 * It has no script and loads nothing, so it can be opened from a disk, and mailed.
 */
import type { DrillReport } from "./drill-report.ts";
import type { FaultReport, Timeline } from "./run-fault.ts";

const style = `
:root { color-scheme: light dark; --ground: #fbfbfa; --card: #fff; --ink: #1d1f23; --soft: #6a707a;
  --line: #e4e4e1; --good: #18794e; --bad: #c4331f; --band: #f6c9bf; --replies: #3b6fd8; --notice: #c77700; }
@media (prefers-color-scheme: dark) { :root { --ground: #15171a; --card: #1d2024; --ink: #e8e9eb;
  --soft: #9aa1ab; --line: #30343a; --good: #4cc38a; --bad: #ff7a66; --band: #5c2a22; --replies: #7aa5ff;
  --notice: #ffb454; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 1180px; background: var(--ground);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
.soft { color: var(--soft); } .good { color: var(--good); } .bad { color: var(--bad); }
.aims { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: .75rem; padding: 0; }
.aims li { list-style: none; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: .75rem .9rem; } .aims b { display: block; font-size: 1.15rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .5rem .6rem; text-align: right; vertical-align: middle; border-top: 1px solid var(--line); }
thead th { border-top: 0; font-weight: 500; color: var(--soft); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; min-width: 260px; } tbody th { font-weight: 600; }
td small, th small { display: block; font-weight: 400; color: var(--soft); } svg { display: block; }
summary { cursor: pointer; color: var(--bad); } details ul { margin: .25rem 0; padding-left: 1.1rem; text-align: left; }
.legend { display: flex; flex-wrap: wrap; gap: 1rem; margin: .5rem 0; } .legend i { display: inline-block;
  width: .8rem; height: .8rem; border-radius: 2px; margin-right: .35rem; vertical-align: -1px; }
.coverage td:last-child { text-align: left; color: var(--soft); }
`;

/** The report as a whole HTML page. */
export function formatPage(report: DrillReport): string {
  const { faults, held, load, node, processors, seed, startedAt, tookMs } = report;
  const headline = held ? "Every promise held" : "A promise was broken";
  const minutes = (tookMs / 60_000).toFixed(1);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Fault tolerance drill: ${headline}</title><style>${style}</style></head><body>
<h1 class="${held ? "good" : "bad"}">${headline}</h1>
<p class="soft">Faults against a real bot: ${faults.length}, in ${minutes} minutes · ${toText(startedAt)} · Node.js
${toText(node)} · ${processors} processors, load ${load.toFixed(1)} · seed ${seed}</p>
<ul class="aims">${report.aims.map(formatAim).join("")}</ul>
${report.faults.length > 0 ? formatFaults(report) : ""}${formatPeers(report)}</body></html>
`;
}

function formatFaults({ coverage, faults }: DrillReport): string {
  const covered = coverage.map(({ faults: names, what }) => {
    const list = names.map(toText).join(", ") || "nothing in this drill";
    return `<tr><th>${toText(what)}</th><td>${list}</td></tr>`;
  });
  return `<h2>Faults</h2>${legend}
<div class="wide"><table><thead><tr><th>Fault</th><th>What happened</th><th>Noticed</th><th>Answering</th>
<th>Updates</th><th>Lost</th><th>Doubled</th><th>Missing</th><th>Twice</th><th>Ambiguous</th><th>Disorder</th>
<th>Given up</th></tr></thead><tbody>${faults.map(formatRow).join("")}</tbody></table></div>
<h2>Covered</h2><div class="wide"><table class="coverage"><tbody>${covered.join("")}</tbody></table></div>`;
}

function formatPeers({ peers }: DrillReport): string {
  const [first] = peers;
  if (!first) return "";
  const head = first.outcomes.map(({ contender }) => `<th>${toText(contender)}</th>`);
  const rows = peers.map(({ outcomes, scenario }) => {
    const cells = outcomes.map(
      ({ good, text }) => `<td class="${good ? "good" : "bad"}">${toText(text)}</td>`,
    );
    return `<tr><th>${toText(scenario)}</th>${cells.join("")}</tr>`;
  });
  return `<h2>Other bots under the same faults</h2><div class="wide"><table><thead><tr><th>Trouble</th>
${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

const legend = `<p class="legend soft"><span><i style="background:var(--band)"></i>broken</span>
<span><i style="background:var(--replies)"></i>messages sent</span>
<span><i style="background:var(--notice)"></i>noticed</span>
<span><i style="background:var(--good)"></i>answering again</span>
<span><i style="background:var(--bad)"></i>a process ended</span></p>`;

function formatAim({ aim, found, held, unjudged }: DrillReport["aims"][number]): string {
  const sign = unjudged ? "–" : held ? "✓" : "✗";
  return `<li><b class="${unjudged ? "" : held ? "good" : "bad"}">${sign} ${toText(found)}</b>${toText(aim)}</li>`;
}

function formatRow(report: FaultReport): string {
  const { detectedAfterMs, fault, judgement, outcome, recoveredAfterMs, timeline } = report;
  const noticed = fault.detection.by === "nothing" ? "absorbed" : duration(detectedAfterMs);
  const counts = [
    judgement?.updates,
    judgement?.lost,
    judgement?.doubled,
    judgement?.missing,
    judgement?.duplicated,
    judgement?.ambiguous,
    judgement?.disorder,
    judgement?.givenUp,
  ];
  return `<tr><th>${toText(fault.title)}<small>${toText(fault.name)}: ${toText(fault.how)}</small>
${formatReasons(outcome, report.late === undefined ? report.reasons : [report.late, ...report.reasons])}</th><td>${timeline ? drawTimeline(timeline) : ""}</td>
<td>${noticed}</td><td>${duration(recoveredAfterMs)}</td>${counts.map((count) => `<td>${count ?? "–"}</td>`).join("")}</tr>`;
}

function formatReasons(outcome: FaultReport["outcome"], reasons: readonly string[]): string {
  if (reasons.length === 0) return "";
  if (outcome === "skipped") return `<small>skipped: ${reasons.map(toText).join("; ")}</small>`;
  const items = reasons.slice(0, 50).map((reason) => `<li>${toText(reason)}</li>`);
  return `<details><summary>broken</summary><ul>${items.join("")}</ul></details>`;
}

function duration(ms: number | undefined): string {
  return ms === undefined ? "–" : `${(ms / 1000).toFixed(1)} s`;
}

const width = 340;
const height = 44;
const base = height - 6;

/** Draws the sends over time, and the fault's beginning and end. */
function drawTimeline(timeline: Timeline): string {
  const { repliesAtMs, detectedAtMs, endedAtMs, exits, finishedAtMs, injectedAtMs, recoveredAtMs } =
    timeline;
  const x = (atMs: number) =>
    ((Math.min(Math.max(atMs, 0), finishedAtMs) / finishedAtMs) * width).toFixed(1);
  const brokenWidth = Math.max(2, Number(x(endedAtMs)) - Number(x(injectedAtMs)));
  const line = (atMs: number | undefined, colour: string) =>
    atMs === undefined
      ? ""
      : `<line x1="${x(atMs)}" x2="${x(atMs)}" y1="2" y2="${base}" stroke="var(--${colour})" stroke-width="2"/>`;
  const exitMarks = exits.map(
    ({ atMs, how }) =>
      `<circle cx="${x(atMs)}" cy="${height - 3}" r="2.5" fill="var(--bad)"><title>${toText(how)}</title></circle>`,
  );
  return `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Timeline of ${(finishedAtMs / 1000).toFixed(0)} seconds">
<rect x="${x(injectedAtMs)}" y="0" width="${brokenWidth.toFixed(1)}" height="${base}" fill="var(--band)"/>
${drawReplies(repliesAtMs, finishedAtMs)}${line(detectedAtMs, "notice")}${line(recoveredAtMs, "good")}
<line x1="0" x2="${width}" y1="${base}" y2="${base}" stroke="var(--line)"/>${exitMarks.join("")}</svg>`;
}

const bars = 85;

function drawReplies(repliesAtMs: readonly number[], finishedAtMs: number): string {
  const counts = new Array<number>(bars).fill(0);
  for (const atMs of repliesAtMs) {
    const bar = Math.min(bars - 1, Math.floor((Math.max(atMs, 0) / finishedAtMs) * bars));
    counts[bar] = (counts[bar] ?? 0) + 1;
  }
  const most = Math.max(1, ...counts);
  const step = width / bars;
  return counts
    .map((count, bar) => {
      if (count === 0) return "";
      // The square root keeps a few messages visible beside the flood after an outage.
      const tall = Math.sqrt(count / most) * (base - 4);
      return `<rect x="${(bar * step).toFixed(1)}" y="${(base - tall).toFixed(1)}" width="${(step - 0.6).toFixed(1)}" height="${tall.toFixed(1)}" fill="var(--replies)"/>`;
    })
    .join("");
}

function toText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
