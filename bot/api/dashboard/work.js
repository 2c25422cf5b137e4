/** Work: the connections, and the pools of the queue. */
import { showState } from "./cards.js";
import { button, drawChildren, drawList, element, rowOf, setText } from "./elements.js";
import { ago, count, percent, span, wholeSpan } from "./formats.js";
import { nameOf, t } from "./texts.js";

const ofConnection = {
  connected: "healthy",
  unsteady: "degraded",
  reconnecting: "degraded",
  down: "unhealthy",
};

export function drawConnections(body, { connections } = {}) {
  const rows = Object.entries(connections ?? {}).map(([name, connection]) => {
    const { attempts, lastError, latencyMs, sinceMs, state, successRate } = connection ?? {};
    const shown = element("span", { class: "state" });
    showState(shown, ofConnection[state] ?? "unknown", nameOf("connection", state));
    const tries = attempts > 0 ? ` · ${t("attemptsMade", count(attempts))}` : "";
    const error = lastError ? { text: errorCell(lastError), class: "wide" } : "–";
    const cells = [wholeSpan(sinceMs) + tries, span(latencyMs), percent(successRate), error];
    return rowOf([name, shown, ...cells]);
  });
  drawChildren(body, rows);
}

function errorCell({ atEpochMs, code, message }) {
  const note = element("p", { class: "note" }, message ?? "");
  return element("div", {}, element("code", {}, code ?? "–"), ` ${ago(atEpochMs)}`, note);
}

export function poolText({ pool } = {}) {
  if (!pool) return "";
  const { connected, connectionsMax, pending, route, running } = pool;
  return t(
    "poolLine",
    ...[connected, connectionsMax, running, pending, (route ?? 0) + 1].map(count),
  );
}

/** @param onPause Called with a pool's name and whether it is to be paused. */
export function drawPools(body, { pools } = {}, onPause) {
  drawList(
    body,
    Object.entries(pools ?? {}),
    ([name]) => name,
    () => poolRow(onPause),
  );
}

function poolRow(onPause) {
  const cells = Array.from({ length: 7 }, (_, index) =>
    element("td", index >= 2 && index <= 5 ? { class: "number" } : {}),
  );
  const state = element("span", { class: "state" });
  cells[1].append(state);
  let paused = false;
  const toggle = button("", () => onPause(row.dataset.key, !paused), { class: "small" });
  const row = element("tr", {}, ...cells, element("td", {}, toggle));
  row.show = ([name, pool]) => {
    paused = pool?.paused === true;
    const shownName = nameOf("poolName", name);
    setText(cells[0], shownName);
    showState(state, paused ? "degraded" : "healthy", t(paused ? "paused" : "running"));
    setText(cells[2], count(pool?.waiting));
    setText(cells[3], count(pool?.delayed));
    setText(cells[4], count(pool?.inHand));
    setText(cells[5], count(pool?.lanes));
    setText(cells[6], span(pool?.oldestAgeMs));
    setText(toggle, t(paused ? "resume" : "pause"));
    toggle.setAttribute("aria-label", t(paused ? "resumeOf" : "pauseOf", shownName));
  };
  return row;
}

const countNames = [
  "queued",
  "done",
  "retried",
  "postponed",
  "dead",
  "expired",
  "duplicates",
  "recovered",
];

export function countsText({ counts } = {}) {
  return counts ? t("countsLine", ...countNames.map((name) => count(counts[name]))) : "";
}
