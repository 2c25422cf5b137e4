/** Cards: one for each probe and component, with a bar of its latest checks. */
import { button, drawing, drawList, element, setText } from "./elements.js";
import { ago, bytes, count, figure, span } from "./formats.js";
import { figureText, nameOf, t } from "./texts.js";
import { signs } from "./verdict.js";

/** Checks that a bar has room for; a bar with fewer is filled from the right. */
const shownMax = 60;
const keptMax = 360;
const height = 16;
const heights = { healthy: 5, degraded: 10, unhealthy: height };
/** Figures that a probe's card shows at most. */
const figuresMax = 4;
const ofComponent = { alive: "healthy", restarting: "degraded", stuck: "unhealthy" };

/** The latest checks of each part, oldest first. */
export class Beats {
  #byName = new Map();

  /** Takes over the API's history of probes. */
  load(probes) {
    for (const [name, answers] of Object.entries(probes ?? {})) {
      const beats = (answers ?? []).map(({ answer, atEpochMs }) => ({ status: answer, atEpochMs }));
      this.#byName.set(name, beats.slice(-keptMax));
    }
  }

  add(name, status, atEpochMs) {
    const beats = this.#byName.get(name) ?? [];
    if ((beats.at(-1)?.atEpochMs ?? 0) >= atEpochMs) return;
    this.#byName.set(name, [...beats.slice(-(keptMax - 1)), { status, atEpochMs }]);
  }

  latest(name) {
    return (this.#byName.get(name) ?? []).slice(-shownMax);
  }
}

export function drawProbes(list, checks, beats) {
  drawList(
    list,
    Object.entries(checks ?? {}),
    ([name]) => name,
    () => probeCard(beats),
  );
}

/** One line says that all are alive; the cards are open by themselves while one is not. */
export function drawComponents({ details, list, summary }, components, beats, onRestart) {
  const troubled = (components ?? []).filter(({ state }) => state !== "alive").length;
  const all = count(components?.length);
  setText(summary, troubled > 0 ? t("componentsTroubled", troubled, all) : t("allAlive", all));
  details.hidden = components === undefined;
  if (troubled > 0 && !details.open) details.dataset.opened = "by itself";
  if (troubled > 0) details.open = true;
  else if (details.dataset.opened) {
    details.open = false;
    delete details.dataset.opened;
  }
  drawList(
    list,
    components ?? [],
    ({ name }) => name,
    () => componentCard(beats, onRestart),
  );
}

function probeCard(beats) {
  const { bar, card, name, note, state } = frame();
  const reason = element("p", { class: "reason" });
  const figures = element("p", { class: "note" });
  card.append(reason, bar, figures, note);
  card.show = ([probe, check]) => {
    const status = check?.status ?? "unknown";
    card.dataset.status = status;
    setText(name, nameOf("probe", probe));
    showState(state, status, nameOf("status", status));
    setText(reason, check?.reason ?? "");
    setText(figures, figuresText(check ?? {}));
    setText(note, t("checked", ago(Date.parse(check?.checkedAt)), span(check?.duration)));
    drawBeats(bar, beats.latest(probe));
  };
  return card;
}

function componentCard(beats, onRestart) {
  const { bar, card, name, note, state } = frame();
  const again = button("", () => onRestart(card.dataset.key), { class: "small" });
  card.append(bar, element("div", { class: "foot" }, note, again));
  card.show = (component) => {
    const status = ofComponent[component.state] ?? "unknown";
    card.dataset.status = status;
    setText(name, component.name);
    showState(state, status, nameOf("component", component.state));
    setText(again, t("restart"));
    again.setAttribute("aria-label", t("restartOf", component.name));
    again.hidden = !component.restartable;
    const facts = [
      component.restarts > 0 ? t("restartedTimes", count(component.restarts)) : "",
      component.overdueMs > 0 ? t("overdue", span(component.overdueMs)) : "",
      component.restartable ? "" : t("wholeOnly"),
    ];
    setText(note, facts.filter(Boolean).join(" · "));
    drawBeats(bar, beats.latest(`component ${component.name}`));
  };
  return card;
}

/** Remembers the states of components, because the API keeps no history of them. */
export function noteComponents(components, beats, atEpochMs) {
  for (const { name, state } of components ?? []) {
    beats.add(`component ${name}`, ofComponent[state] ?? "unknown", atEpochMs);
  }
}

function frame() {
  const name = element("h4");
  const state = element("span", { class: "state" });
  const bar = drawing("svg", {
    class: "beats",
    viewBox: `0 0 ${shownMax * 4} ${height}`,
    preserveAspectRatio: "none",
    role: "img",
  });
  const note = element("p", { class: "note" });
  const card = element("li", { class: "card" }, element("div", { class: "head" }, name, state));
  return { bar, card, name, note, state };
}

export function showState(target, status, text) {
  target.dataset.status = status;
  setText(target, `${signs[status] ?? "?"} ${text}`);
}

/** A healthy check is drawn low, so that trouble stands out even without colour. */
function drawBeats(bar, beats) {
  const counts = { healthy: 0, degraded: 0, unhealthy: 0 };
  const first = shownMax - beats.length;
  const bars = beats.map(({ status }, index) => {
    if (status in counts) counts[status]++;
    const tall = heights[status] ?? height;
    const place = { x: (first + index) * 4, y: height - tall, width: 3, height: tall };
    return drawing("rect", { ...place, class: status });
  });
  bar.setAttribute("aria-label", t("beats", counts.healthy, counts.degraded, counts.unhealthy));
  bar.replaceChildren(...bars);
}

const units = [
  [/Ms$/, (value) => span(value)],
  [/Mb$/, (value) => `${count(value)} MB`],
  [/Bytes$/, (value) => bytes(value)],
  [/percentage$/, (value) => `${figure(value)} %`],
];
/** Words that say that there is nothing to say. */
const quietWords = ["off", "unknown"];

/** A probe's own figures in words, without those that say nothing: zero, "off", true or false. */
function figuresText({ answer, checkedAt, duration, reason, status, ...figures }) {
  return Object.entries(figures)
    .filter(
      ([, value]) =>
        (typeof value === "number" && value !== 0) ||
        (typeof value === "string" && !quietWords.includes(value)),
    )
    .slice(0, figuresMax)
    .map(([name, value]) => {
      const [, format = count] = units.find(([pattern]) => pattern.test(name)) ?? [];
      return figureText(name, typeof value === "number" ? format(value) : value);
    })
    .join(" · ");
}
