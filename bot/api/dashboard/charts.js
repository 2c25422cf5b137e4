/**
 * Charts: the last hour as lines over one time axis, with one cursor over all of them, and what
 * happened meanwhile as marks on them.
 *
 * Keeps the points, also over a restart of the bot, which forgets its own.
 */
import { element, setText } from "./elements.js";
import { bytes, clockTime, figure, percent, perSecond, span } from "./formats.js";
import { nameOf, t } from "./texts.js";
import Plot from "./uplot.js";

const hourSeconds = 3_600;
const shortestSeconds = 300;
const pointsMax = 1_000;
const marksMax = 200;
const chartHeight = 150;
/** A mark is read out when the cursor is this near, in seconds. */
const nearSeconds = 20;

/** Rows: key, columns with their line texts, and the figure's form. */
const charts = [
  {
    key: "throughput",
    form: perSecond,
    lines: [
      ["receivedPerSecond", "line.received"],
      ["handledPerSecond", "line.handled"],
      ["sentPerSecond", "line.sent"],
    ],
  },
  {
    key: "latency",
    form: span,
    lines: [
      ["handlingP50Ms", "line.p50"],
      ["handlingP95Ms", "line.p95"],
      ["handlingP99Ms", "line.p99"],
    ],
  },
  {
    key: "queue",
    form: figure,
    lines: [
      ["waiting", "line.waiting"],
      ["inHand", "line.inHand"],
      ["oldestAgeMs", "line.oldest", span],
    ],
  },
  {
    key: "memory",
    form: bytes,
    steps: Array.from({ length: 20 }, (_, power) => 2 ** (20 + power)),
    lines: [
      ["rssBytes", "line.rss"],
      ["heapUsedBytes", "line.heap"],
    ],
  },
  { key: "loop", form: span, lines: [["loopDelayMs", "line.delay"]] },
  { key: "cpu", form: (value) => percent(value / 100), lines: [["cpuPercent", "line.cpu"]] },
];

/** Lines differ in their dashes, too. */
const dashes = [[], [6, 3], [2, 3]];
const markDashes = { restart: [], incident: [5, 3], breaker: [2, 2] };
const markSigns = { restart: "↻", incident: "▲", breaker: "⏻" };

export class Charts {
  #place;
  #caption;
  #everyMs = 5_000;
  #points = [];
  #marks = [];
  #drawn = [];

  constructor(place, caption) {
    this.#place = place;
    this.#caption = caption;
    // A chart is as wide as its place, which no style sheet can tell it.
    new ResizeObserver(() => {
      for (const { body, plot } of this.#drawn) {
        const width = Math.floor(body.clientWidth);
        if (width > 0 && width !== plot.width) plot.setSize({ width, height: chartHeight });
      }
    }).observe(place);
  }

  /** What `/api/series` says: put after what is known already. */
  load({ atEpochMs, columns, everyMs, marks } = {}) {
    if (everyMs > 0) this.#everyMs = everyMs;
    for (const [index, at] of (atEpochMs ?? []).entries()) {
      const values = Object.entries(columns ?? {}).map(([name, column]) => [name, column?.[index]]);
      this.#keep({ ...Object.fromEntries(values), atEpochMs: at });
    }
    for (const mark of marks ?? []) this.#keepMark(mark);
    this.draw();
  }

  add(point) {
    this.#keep(point);
    this.draw();
  }

  mark(mark) {
    this.#keepMark(mark);
    this.draw();
  }

  /** The latest point, if any. */
  get latest() {
    return this.#points.at(-1);
  }

  /** The instant up to which everything is known. */
  get knownToEpochMs() {
    return this.latest?.atEpochMs ?? 0;
  }

  #keep(point) {
    const last = this.latest;
    if (typeof point?.atEpochMs !== "number" || point.atEpochMs <= this.knownToEpochMs) return;
    // A pause is a gap, not a line across it.
    if (last && point.atEpochMs - last.atEpochMs > 2.5 * this.#everyMs) {
      this.#points.push({ atEpochMs: last.atEpochMs + this.#everyMs });
    }
    this.#points.push(point);
    if (this.#points.length > pointsMax) this.#points.shift();
  }

  #keepMark(mark) {
    const known = this.#marks.some(
      ({ atEpochMs, label }) =>
        label === mark?.label && Math.abs(atEpochMs - mark.atEpochMs) < 1_000,
    );
    if (known || typeof mark?.atEpochMs !== "number") return;
    this.#marks = [...this.#marks.slice(-(marksMax - 1)), mark];
  }

  /** Anew, after a change of colours or language. */
  rebuild() {
    for (const { plot } of this.#drawn) plot.destroy();
    this.#drawn = charts.map((chart) => this.#build(chart));
    this.#place.replaceChildren(...this.#drawn.map(({ figure: shown }) => shown));
    this.draw();
  }

  draw() {
    const times = this.#points.map(({ atEpochMs }) => atEpochMs / 1000);
    for (const { chart, legend, plot } of this.#drawn) {
      const columns = chart.lines.map(([column]) =>
        this.#points.map((point) => (typeof point[column] === "number" ? point[column] : null)),
      );
      plot.setData([times, ...columns]);
      legend(undefined);
    }
    this.#caption.dataset.empty = String(this.#points.length === 0);
    this.#say(undefined);
  }

  #build(chart) {
    const colours = coloursOf(this.#place);
    const title = t(`chart.${chart.key}`);
    const values = chart.lines.map(() => element("b"));
    const keys = chart.lines.map(([, text], index) =>
      element("span", { class: `key line-${index + 1}` }, `${t(text)} `, values[index]),
    );
    const body = element("div", { class: "plot", role: "img" });
    const head = element("figcaption", {}, element("h3", {}, title), element("p", {}, ...keys));
    const shown = element("figure", { class: "panel chart" }, head, body);
    this.#place.append(shown);
    const legend = (index) => {
      const point = index === undefined ? this.latest : this.#points[index];
      const texts = chart.lines.map(([column, , form = chart.form]) => form(point?.[column]));
      for (const [place, text] of texts.entries()) setText(values[place], text);
      const named = chart.lines.map(([, text], place) => `${t(text)} ${texts[place]}`).join(", ");
      body.setAttribute("aria-label", t("chart.says", title, named));
    };
    const onCursor = (index) => {
      legend(index);
      if (chart === charts[0]) this.#say(index);
    };
    const options = optionsOf(chart, colours, {
      width: Math.max(200, Math.floor(body.clientWidth)),
      marks: () => this.#marks,
      range: () => this.#range(),
      onCursor,
    });
    const plot = new Plot(options, [[], ...chart.lines.map(() => [])], body);
    return { chart, figure: shown, body, plot, legend };
  }

  /** The last hour; less when there is less. */
  #range() {
    const to = Math.max(this.knownToEpochMs / 1000, 1);
    const from = (this.#points[0]?.atEpochMs ?? 0) / 1000;
    return [Math.min(to - shortestSeconds, Math.max(from, to - hourSeconds)), to];
  }

  /** The moment under the cursor, and what happened about then. */
  #say(index) {
    const point = this.#points[index];
    if (!point) {
      setText(this.#caption, t(this.#points.length === 0 ? "chart.none" : "chart.help"));
      return;
    }
    const near = this.#marks
      .filter(({ atEpochMs }) => Math.abs(atEpochMs - point.atEpochMs) < nearSeconds * 1000)
      .map(({ atEpochMs, kind, label }) => {
        return `${markSigns[kind] ?? ""} ${clockTime(atEpochMs)} ${nameOf("mark", kind)}: ${label}`;
      });
    setText(this.#caption, [clockTime(point.atEpochMs), ...near].join(" · "));
  }
}

function optionsOf(chart, colours, { marks, onCursor, range, width }) {
  /** Of a line that has a scale of its own, on the right. */
  const secondForm = chart.lines.find(([, , form]) => form)?.[2];
  const scaleOf = (form) => (form ? "second" : "first");
  const axis = { stroke: colours.faint, font: colours.font, ticks: { show: false } };
  const grid = { stroke: colours.grid, width: 1 };
  const side = (form, scale, more) => ({
    ...axis,
    scale,
    size: 58,
    ...(chart.steps && { incrs: chart.steps }),
    values: (_plot, splits) => splits.map((value) => form(value)),
    ...more,
  });
  return {
    width,
    height: chartHeight,
    legend: { show: false },
    padding: [14, secondForm ? 0 : 10, 0, 0],
    cursor: { sync: { key: "hour" }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { range },
      first: { range: fromZero },
      ...(secondForm && { second: { range: fromZero } }),
    },
    axes: [
      { ...axis, grid, space: 70, size: 28, values: (_plot, splits) => splits.map(axisTime) },
      side(chart.form, "first", { grid }),
      ...(secondForm ? [side(secondForm, "second", { side: 1, grid: { show: false } })] : []),
    ],
    series: [
      {},
      ...chart.lines.map(([, , form], index) => ({
        scale: scaleOf(form),
        stroke: colours.lines[index],
        width: 1.5,
        dash: dashes[index],
        points: { show: false },
        spanGaps: false,
      })),
    ],
    hooks: {
      draw: [(plot) => drawMarks(plot, marks(), colours)],
      setCursor: [({ cursor }) => onCursor(cursor.idx ?? undefined)],
    },
  };
}

function fromZero(_plot, _from, to) {
  return [0, to > 0 ? to * 1.1 : 1];
}

function axisTime(seconds) {
  return clockTime(seconds * 1000).slice(0, 5);
}

/** Lines down the chart; named where there is room, otherwise by their sign alone. */
function drawMarks(plot, marks, colours) {
  const { ctx } = plot;
  const { height, left, top, width } = plot.bbox;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = colours.markFont(scale);
  ctx.textBaseline = "bottom";
  let free = left;
  for (const { atEpochMs, kind, label } of [...marks].sort((a, b) => a.atEpochMs - b.atEpochMs)) {
    const x = Math.round(plot.valToPos(atEpochMs / 1000, "x", true));
    if (!(x >= left && x <= left + width)) continue;
    ctx.strokeStyle = colours.marks[kind] ?? colours.faint;
    ctx.fillStyle = ctx.strokeStyle;
    ctx.lineWidth = scale;
    ctx.setLineDash((markDashes[kind] ?? []).map((length) => length * scale));
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    const sign = markSigns[kind] ?? "·";
    const text = [`${sign} ${label}`, sign].find((one) => {
      const wide = ctx.measureText(one).width;
      return x >= free && x + wide <= left + width + 10 * scale;
    });
    if (text === undefined) continue;
    ctx.fillText(text, x - 3 * scale, top);
    free = x + ctx.measureText(text).width + 4 * scale;
  }
  ctx.restore();
}

/** The style sheet's colours, as a canvas takes them. */
function coloursOf(place) {
  const sample = element("span");
  place.append(sample);
  const colour = (name) => {
    sample.style.color = `var(--${name})`;
    return getComputedStyle(sample).color;
  };
  const { fontFamily } = getComputedStyle(place);
  const found = {
    faint: colour("faint"),
    grid: colour("line"),
    lines: [colour("series-1"), colour("series-2"), colour("series-3")],
    marks: { restart: colour("accent"), incident: colour("bad"), breaker: colour("warn") },
    font: `11px ${fontFamily}`,
    markFont: (scale) => `${10.5 * scale}px ${fontFamily}`,
  };
  sample.remove();
  return found;
}
