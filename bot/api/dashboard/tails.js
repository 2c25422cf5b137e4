/** Tails: lists of the latest lines, newest first, that forget the oldest. */
import { element } from "./elements.js";
import { clockTime } from "./formats.js";

const linesMax = 200;
const textLengthMax = 500;

export class Tail {
  #list;
  #empty;

  constructor(list, empty) {
    this.#list = list;
    this.#empty = empty;
    this.#showEmptiness();
  }

  clear() {
    this.#list.replaceChildren();
    this.#showEmptiness();
  }

  add(line) {
    this.#list.prepend(line);
    while (this.#list.childElementCount > linesMax) this.#list.lastElementChild.remove();
    this.#showEmptiness();
  }

  #showEmptiness() {
    const empty = this.#list.childElementCount === 0;
    this.#list.hidden = empty;
    this.#empty.hidden = !empty;
  }
}

const levelSigns = { error: "✖ error", warn: "▲ warn", info: "· info", debug: "· debug" };

export function logLine({ at, event, level, ...facts }) {
  return lineOf(Date.parse(at), levelSigns[level] ?? level ?? "", event, facts, level);
}

export function factLine({ atEpochMs, type, ...facts }) {
  const bad = /failed|lost|stuck|died|dead|unhealthy|given-up|opened|refused|stalled/;
  const troubled = bad.test(`${type} ${facts.status ?? ""}`);
  return lineOf(atEpochMs, "", type, facts, troubled ? "warn" : "info");
}

function lineOf(atEpochMs, sign, event, facts, level) {
  return element(
    "li",
    { class: "line", "data-level": level },
    element("time", {}, clockTime(atEpochMs)),
    sign ? element("span", { class: "level" }, sign) : undefined,
    element("span", { class: "event" }, event ?? ""),
    element("span", { class: "facts" }, factsText(facts)),
  );
}

/** Flattens facts within facts: `error.code=…`. */
function factsText(facts) {
  const pairs = Object.entries(facts).flatMap(([name, value]) => flatten(name, value));
  return pairs.join(" ").slice(0, textLengthMax);
}

function flatten(name, value, depth = 0) {
  if (value === null || value === undefined || value === "" || /atEpochMs$/i.test(name)) return [];
  if (typeof value !== "object" || depth > 1) {
    const text = typeof value === "number" ? Math.round(value * 100) / 100 : value;
    return [`${name}=${typeof text === "object" ? JSON.stringify(text) : text}`];
  }
  return Object.entries(value).flatMap(([inner, content]) =>
    flatten(name === "facts" || name === "ref" ? inner : `${name}.${inner}`, content, depth + 1),
  );
}
