/**
 * Panels: pages that the bot's module brings, with figures, charts and tables of its own.
 *
 * A panel is shown in the place of the other sections while the address names it (`#panel/shop`), and is asked
 * for only meanwhile. What is about people is missing in the bot's answer when the token does not allow it.
 */
import { drawChildren, drawing, drawList, element, pick, rowOf, setText } from "./elements.js";
import { age, count, instant, money, percent, utcDay, utcHour } from "./formats.js";
import { language, t } from "./texts.js";

const prefix = "#panel/";
/** Geometry of a chart, in its own units; the style sheet stretches it. */
const barWidth = 10;
const chartHeight = 60;

export class Panels {
  #api;
  /** What the bot has: `{ name, title }`. */
  #known = [];
  /** What it has answered for the panel that is shown. */
  #content;
  #problem;
  #asking = false;

  constructor(api) {
    this.#api = api;
    addEventListener("hashchange", () => this.#turn());
  }

  /** Takes over the answer of `/api/panels`. */
  load({ panels } = {}) {
    this.#known = (panels ?? []).filter((panel) => panel?.name);
    this.#turn();
  }

  /** The panel that the address names. */
  get #shown() {
    const name = location.hash.startsWith(prefix) && location.hash.slice(prefix.length);
    return this.#known.find((panel) => panel.name === name);
  }

  #turn() {
    const left = document.body.classList.contains("on-panel") && !this.#shown;
    this.draw();
    // The browser could not go to a section that was not displayed.
    if (left) document.getElementById(location.hash.slice(1))?.scrollIntoView();
    else if (this.#shown) {
      scrollTo(0, 0);
      const link = document.querySelector("#panel-links [aria-current]");
      link?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    void this.refresh();
  }

  /** Asks for what is shown, if a panel is. */
  async refresh() {
    const asked = this.#shown;
    if (!asked || this.#asking) return;
    this.#asking = true;
    try {
      this.#content = await this.#api.ask(`/api/panels/${encodeURIComponent(asked.name)}`);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = error.message;
    } finally {
      this.#asking = false;
    }
    this.draw();
    if (this.#shown !== asked) await this.refresh();
  }

  draw() {
    const shown = this.#shown;
    document.body.classList.toggle("on-panel", shown !== undefined);
    pick("panel").hidden = shown === undefined;
    drawList(
      pick("panel-links"),
      this.#known,
      ({ name }) => name,
      ({ name }) => linkTo(name, () => this.#shown),
    );
    if (!shown) return;
    const content = this.#content?.name === shown.name ? this.#content : {};
    const { charts, currency, figures, tables, withheld } = content;
    setText(pick("panel-title"), words(shown.title));
    setText(pick("panel-note"), this.#note(content.name, withheld));
    drawFigures(pick("panel-figures"), figures ?? [], currency);
    pick("panel-figures").hidden = (figures ?? []).length === 0;
    drawParts(pick("panel-charts"), charts, (chart) => chartFrame(chart), currency);
    drawParts(pick("panel-tables"), tables, () => tableFrame(), currency);
  }

  #note(name, withheld) {
    if (this.#problem) return t("panel.failed", this.#problem);
    if (name === undefined) return t("panel.waiting");
    return withheld ? t("panel.withheld") : "";
  }
}

function linkTo(name, shown) {
  const link = element("a", { href: `${prefix}${name}` });
  link.show = ({ title }) => {
    setText(link, words(title));
    if (shown()?.name === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  };
  return link;
}

function words(wording) {
  if (typeof wording === "object" && wording !== null) return String(wording[language()] ?? "–");
  return String(wording ?? "–");
}

const forms = {
  count,
  money,
  instant,
  age,
};

function valueText(value, form, currency) {
  const inForm = typeof value === "number" ? forms[form] : undefined;
  return inForm ? inForm(value, currency) : words(value);
}

/** A part has no key of its own, so its place is its key. */
function drawParts(place, parts, make, currency) {
  const items = (parts ?? []).map((part, index) => ({ part, index, currency }));
  drawList(place, items, ({ index }) => index, make);
  place.hidden = items.length === 0;
}

function drawFigures(list, figures, currency) {
  const items = figures.map(({ form, label, value }) =>
    element(
      "div",
      {},
      element("dt", {}, words(label)),
      element("dd", {}, cellOf(value, form, currency)),
    ),
  );
  drawChildren(list, items);
}

/** A text, or for a share a bar and a text. */
function cellOf(value, form, currency) {
  if (form !== "share" || typeof value !== "number") return valueText(value, form, currency);
  const bar = element("progress", { value, max: 1, "aria-hidden": "true" });
  return element("span", { class: "share" }, bar, percent(value));
}

function tableFrame() {
  const title = element("h3");
  const head = element("tr");
  const body = element("tbody");
  const empty = element("p", { class: "empty" });
  const more = element("p", { class: "note" });
  const scroll = element(
    "section",
    { class: "scroll", tabindex: "0" },
    element("table", {}, element("thead", {}, head), body),
    empty,
  );
  const frame = element("div", { class: "panel" }, title, scroll, more);
  frame.show = ({ currency, part: table }) => {
    const columns = table?.columns ?? [];
    const rows = table?.rows ?? [];
    setText(title, words(table?.title));
    scroll.setAttribute("aria-label", words(table?.title));
    const heads = columns.map(({ form, label }) =>
      element("th", { scope: "col", class: classOf(form) }, words(label)),
    );
    drawChildren(head, heads);
    const shown = rows.map((row) =>
      rowOf(
        columns.map(({ form }, index) => ({
          text: cellOf(row?.[index], form, currency),
          class: classOf(form),
        })),
      ),
    );
    drawChildren(body, shown);
    empty.hidden = rows.length > 0;
    setText(empty, table?.empty === undefined ? "–" : words(table.empty));
    more.hidden = !(table?.total > rows.length);
    setText(more, t("panel.more", count(rows.length), count(table?.total)));
  };
  return frame;
}

function classOf(form) {
  return form === "count" || form === "money" ? "number" : undefined;
}

const starts = { day: utcDay, hour: utcHour };

function chartFrame() {
  const title = element("h3");
  const latest = element("span", { class: "note" });
  const bars = drawing("svg", { class: "bars", preserveAspectRatio: "none", role: "img" });
  const from = element("span");
  const highest = element("span");
  const to = element("span");
  const ends = element("p", { class: "note ends" }, from, highest, to);
  const head = element("figcaption", {}, title, latest);
  const frame = element("figure", { class: "panel chart" }, head, bars, ends);
  frame.show = ({ currency, part: chart }) => {
    const all = (chart?.bars ?? []).filter((bar) => typeof bar?.value === "number");
    const start = starts[chart?.per] ?? utcDay;
    const form = (value) => valueText(value, chart?.form ?? "count", currency);
    const most = Math.max(0, ...all.map(({ value }) => value));
    setText(title, words(chart?.title));
    setText(latest, t("panel.latest", form(all.at(-1)?.value)));
    setText(from, start(all[0]?.atEpochMs));
    setText(highest, t("panel.highest", form(most)));
    setText(to, start(all.at(-1)?.atEpochMs));
    bars.setAttribute("viewBox", `0 0 ${Math.max(1, all.length) * barWidth} ${chartHeight}`);
    bars.setAttribute(
      "aria-label",
      t("panel.says", words(chart?.title), form(all.at(-1)?.value), form(most)),
    );
    bars.replaceChildren(
      ...all.flatMap(({ atEpochMs, value }, index) => {
        const says = `${start(atEpochMs)}: ${form(value)}`;
        return barOf(index, most > 0 ? value / most : 0, says);
      }),
    );
  };
  return frame;
}

/** A bar, and over it a ground as high as the chart, so that the value of an empty one can be read as well. */
function barOf(index, share, says) {
  const height = share > 0 ? Math.max(1.5, share * chartHeight) : 0.75;
  const place = { x: index * barWidth + 1, width: barWidth - 2 };
  const bar = { ...place, y: chartHeight - height, height, class: share > 0 ? "some" : "none" };
  const title = drawing("title", {}, says);
  const ground = {
    x: index * barWidth,
    y: 0,
    width: barWidth,
    height: chartHeight,
    class: "ground",
  };
  return [drawing("rect", bar), drawing("rect", ground, title)];
}
