/**
 * Charts: the last hour as lines over one time axis, with one cursor over all charts, and with marks for
 * the events in between.
 *
 * It keeps its points when the bot restarts, because the bot forgets its own.
 */
import { element, setText } from "./elements.js";
import { bytes, clockTime, figure, percent, perSecond, span } from "./formats.js";
import { nameOf, t } from "./texts.js";
import Plot from "./uplot.js";

const hourSeconds = 3_600;
const shortestSeconds = 300;
const pointsMax = 1_000;
const marksMax = 200;
/** Two marks nearer than this are the same event, reported by two sources. */
const sameMarkMs = 2_000;
/** Points that may be missing before the line is interrupted. */
const gapPoints = 2.5;
const chartHeight = 150;
/** A mark is read out when the cursor is this near, in seconds. */
const nearSeconds = 20;

/** One row for each chart: its key, its columns with their texts, and the format of its figures. */
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

/** Lines differ in their dashes too, not in colour alone. */
const dashes = [[], [6, 3], [2, 3]];
const markDashes = { restart: [], incident: [5, 3], breaker: [2, 2] };
const markSigns = { restart: "↻", incident: "▲", breaker: "⏻" };

export class Charts {
  #place;
  #caption;
  #everyMs = 5_000;
  #points = [];
  /** The points, with gaps between them. */
  #shown = [];
  #marks = [];
  #drawn = [];

  constructor(place, caption) {
    this.#place = place;
    this.#caption = caption;
    // A style sheet cannot set the width of a chart.
    new ResizeObserver(() => {
      for (const { body, plot } of this.#drawn) {
        const width = Math.floor(body.clientWidth);
        if (width > 0 && width !== plot.width) plot.setSize({ width, height: chartHeight });
      }
    }).observe(place);
  }

  /** Merges the answer of `/api/series` into the points. */
  load({ atEpochMs, columns, everyMs, marks } = {}) {
    if (everyMs > 0) this.#everyMs = everyMs;
    const points = (atEpochMs ?? []).map((at, index) => {
      const values = Object.entries(columns ?? {}).map(([name, column]) => [name, column?.[index]]);
      return { ...Object.fromEntries(values), atEpochMs: at };
    });
    this.#keep(points);
    this.draw();
    // Incidents are marked from their records, which distinguish beginnings from ends.
    this.mark((marks ?? []).filter((mark) => mark?.kind !== "incident"));
  }

  add(point) {
    this.#keep([point]);
    this.draw();
  }

  /** Adds marks, each `{ atEpochMs, kind, label }`; one that is there already is skipped. */
  mark(marks) {
    const before = this.#marks.length;
    for (const mark of marks) {
      const known = this.#marks.some(
        ({ atEpochMs, label }) =>
          label === mark?.label && Math.abs(atEpochMs - mark.atEpochMs) < sameMarkMs,
      );
      if (!known && typeof mark?.atEpochMs === "number") this.#marks.push(mark);
    }
    if (this.#marks.length === before) return;
    this.#marks.sort((one, other) => one.atEpochMs - other.atEpochMs);
    this.#marks = this.#marks.slice(-marksMax);
    this.draw();
  }

  /** The latest point, if any. */
  get latest() {
    return this.#points.at(-1);
  }

  #keep(points) {
    const byTime = new Map(this.#points.map((point) => [point.atEpochMs, point]));
    for (const point of points) {
      if (typeof point?.atEpochMs === "number") byTime.set(point.atEpochMs, point);
    }
    const sorted = [...byTime.values()].sort((one, other) => one.atEpochMs - other.atEpochMs);
    this.#points = sorted.slice(-pointsMax);
  }

  /** Adds a row without values after a pause, so that lines show a gap. */
  #rows() {
    return this.#points.flatMap((point, index) => {
      const before = this.#points[index - 1]?.atEpochMs ?? point.atEpochMs;
      const gap = point.atEpochMs - before > gapPoints * this.#everyMs;
      return gap ? [{ atEpochMs: before + this.#everyMs }, point] : [point];
    });
  }

  /** Rebuilds the charts after a change of colours or language. */
  rebuild() {
    for (const { plot } of this.#drawn) plot.destroy();
    this.#drawn = charts.map((chart) => this.#build(chart));
    this.#place.replaceChildren(...this.#drawn.map(({ figure: shown }) => shown));
    this.draw();
  }

  draw() {
    this.#shown = this.#rows();
    const times = this.#shown.map(({ atEpochMs }) => atEpochMs / 1000);
    for (const { chart, legend, plot } of this.#drawn) {
      const columns = chart.lines.map(([column]) =>
        this.#shown.map((point) => (typeof point[column] === "number" ? point[column] : null)),
      );
      plot.setData([times, ...columns]);
      legend(plot.cursor.idx ?? undefined);
    }
    this.#say(this.#drawn[0]?.plot.cursor.idx ?? undefined);
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
      const point = index === undefined ? this.latest : this.#shown[index];
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

  /** The range of the time axis: the last hour, or less when there are fewer points. */
  #range() {
    const to = Math.max((this.latest?.atEpochMs ?? 0) / 1000, 1);
    const from = (this.#points[0]?.atEpochMs ?? 0) / 1000;
    return [Math.min(to - shortestSeconds, Math.max(from, to - hourSeconds)), to];
  }

  /** Shows the moment under the cursor, and the marks near it. */
  #say(index) {
    const point = this.#shown[index];
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
  /** The axis on the right, for a line that has its own scale. */
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
    cursor: { y: false, sync: { key: "hour" }, drag: { x: false, y: false }, points: { size: 6 } },
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

/** Draws marks as vertical lines, with their names where there is room, otherwise with a sign. */
function drawMarks(plot, marks, colours) {
  const { ctx } = plot;
  const { height, left, top, width } = plot.bbox;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.font = colours.markFont(scale);
  ctx.textBaseline = "bottom";
  ctx.textAlign = "left";
  let free = left;
  for (const { atEpochMs, kind, label } of marks) {
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
    free = drawName(ctx, {
      x,
      top,
      right: left + width,
      free,
      sign: markSigns[kind] ?? "·",
      label,
    });
  }
  ctx.restore();
}

/** Writes a name to the right or left of its mark, or only the sign. @returns where the next may begin. */
function drawName(ctx, { free, label, right, sign, top, x }) {
  const gap = 4 * devicePixelRatio;
  const places = [
    [`${sign} ${label}`, 0],
    [`${sign} ${label}`, 1],
    [sign, 0.5],
  ];
  for (const [text, shift] of places) {
    const { width } = ctx.measureText(text);
    const from = x - gap / 2 - shift * (width - gap);
    if (from < free || (shift === 0 && from + width > right)) continue;
    ctx.fillText(text, from, top);
    return from + width + gap;
  }
  return free;
}

/** The style sheet's colours, in the form that a canvas needs. */
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
