/** Records: incidents, kinds of errors, and the start and end of every process. */
import { showState } from "./cards.js";
import { drawChildren, drawing, element, rowOf } from "./elements.js";
import { ago, count, instant, span, wholeSpan } from "./formats.js";
import { nameOf, t } from "./texts.js";
import { measuresText } from "./verdict.js";

/** Open ones first, then the newest. */
export function drawIncidents(body, { incidents } = {}) {
  const isOpen = ({ closedAtEpochMs }) => closedAtEpochMs === undefined;
  const sorted = [...(incidents ?? [])].sort((one, other) => isOpen(other) - isOpen(one));
  drawChildren(body, sorted.map(incidentRow));
}

function incidentRow(incident) {
  const { cause, closedAtEpochMs, measures, openedAtEpochMs, subject, times, trouble } = incident;
  const open = closedAtEpochMs === undefined;
  const state = element("span", { class: "state" });
  showState(state, open ? "unhealthy" : "healthy", t(open ? "open" : "over"));
  const seen = times > 1 ? ` · ${t("times", count(times))}` : "";
  return rowOf([
    state,
    subject,
    nameOf("troubleName", trouble),
    { text: `${cause ?? ""}${seen}`, class: "wide" },
    measuresText(measures) || "–",
    instant(openedAtEpochMs),
    wholeSpan((closedAtEpochMs ?? Date.now()) - openedAtEpochMs),
  ]);
}

export function drawErrors(body, { groups } = {}) {
  const rows = (groups ?? []).map(
    ({ code, count: times, event, lastAtEpochMs, message, perHour }) =>
      rowOf([
        {
          text: element(
            "div",
            {},
            element("code", {}, code ?? "–"),
            element("p", { class: "note" }, `${message ?? ""}${event ? ` · ${event}` : ""}`),
          ),
          class: "wide",
        },
        { text: count(times), class: "number" },
        trendDrawing(perHour ?? []),
        ago(lastAtEpochMs),
      ]),
  );
  drawChildren(body, rows);
}

const hourWidth = 4;
const trendHeight = 20;

function trendDrawing(perHour) {
  const most = Math.max(1, ...perHour);
  const bars = perHour.map((value, hour) => {
    const height = value > 0 ? Math.max(2, (value / most) * trendHeight) : 1;
    const place = { x: hour * hourWidth, y: trendHeight - height, width: hourWidth - 1, height };
    return drawing("rect", { ...place, class: value > 0 ? "some" : "none" });
  });
  const day = perHour.reduce((sum, value) => sum + value, 0);
  const says = t("trendSays", count(perHour.at(-1) ?? 0), count(day));
  const width = Math.max(1, perHour.length) * hourWidth;
  const size = { width, height: trendHeight, viewBox: `0 0 ${width} ${trendHeight}` };
  return drawing("svg", { ...size, class: "trend", role: "img", "aria-label": says }, ...bars);
}

export function drawRestarts(body, { restarts } = {}) {
  const rows = (restarts ?? []).map(({ end, pid, startedAtEpochMs, version }) => {
    const state = element("span", { class: "state" });
    if (!end) showState(state, "healthy", `${t("livesNow")} · ${pid ?? "–"}`);
    else {
      const how = t(end.clean ? "clean" : "unclean");
      showState(state, end.clean ? "healthy" : "unhealthy", `${end.cause ?? ""} (${how})`);
    }
    const detail = end?.detail ? element("p", { class: "note" }, end.detail) : undefined;
    const ended = { text: element("div", {}, state, detail), class: "wide" };
    const lived = span((end?.atEpochMs ?? Date.now()) - startedAtEpochMs);
    return rowOf([instant(startedAtEpochMs), lived, ended, version]);
  });
  drawChildren(body, rows);
}
