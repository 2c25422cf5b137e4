/**
 * Bar plot: a small SVG with one bar a row, for a document.
 *
 * It brings its own background and both colour schemes, so that it can be read on any page.
 */

export interface Bar {
  readonly label: string;
  /** Length of the bar, not negative; NaN draws none. */
  readonly value: number;
  /** Stands behind the bar. */
  readonly note: string;
  /** Drawn in the colour of what the plot is about. */
  readonly ours: boolean;
}

export interface BarPlot {
  readonly title: string;
  readonly subtitle: string;
  readonly bars: readonly Bar[];
}

const width = 720;
const margin = 16;
const rowHeight = 28;
const barHeight = 18;
const firstRow = 66;
const barLeft = 230;
/** Room for the notes behind the longest bar. */
const barWidthMax = 300;

const style = `
  .page { fill: #ffffff; stroke: #d0d7de }
  .ours { fill: #0969da }
  .other { fill: #8c959f }
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 15px }
  .small { fill: #59636e; font-size: 12px }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #3d444d }
    .ours { fill: #4493f8 }
    .other { fill: #656c76 }
    text { fill: #f0f6fc }
    .small { fill: #9198a1 }
  }`;

export function drawBarPlot({ bars, subtitle, title }: BarPlot): string {
  const height = firstRow + bars.length * rowHeight + margin - (rowHeight - barHeight);
  const longest = Math.max(...bars.map(({ value }) => value).filter(Number.isFinite), 0);
  const rows = bars.map((bar, index) => drawRow(bar, firstRow + index * rowHeight, longest));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<style>${style}\n</style>`,
    `<rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>`,
    `<text class="title" id="title" x="${margin}" y="28">${escapeXml(title)}</text>`,
    `<text class="small" x="${margin}" y="48">${escapeXml(subtitle)}</text>`,
    ...rows,
    "</svg>",
    "",
  ].join("\n");
}

function drawRow({ label, note, ours, value }: Bar, top: number, longest: number): string {
  const share = Number.isFinite(value) && longest > 0 ? value / longest : 0;
  const length = Math.round(share * barWidthMax);
  const baseline = top + 14;
  return [
    `<text x="${margin}" y="${baseline}">${escapeXml(label)}</text>`,
    `<rect class="${ours ? "ours" : "other"}" x="${barLeft}" y="${top}" width="${length}" height="${barHeight}" rx="2"/>`,
    `<text class="small" x="${barLeft + length + 8}" y="${baseline}">${escapeXml(note)}</text>`,
  ].join("\n");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
