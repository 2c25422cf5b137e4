/** Texts: everything the page says, in every language. Names from the bot are not translated. */
import { zh } from "./chinese.js";
import { en } from "./english.js";

export const catalogue = { en, zh };

let chosen = "en";

export function language() {
  return chosen;
}

/** @param wanted A language without a catalogue becomes English. */
export function setLanguage(wanted) {
  chosen = Object.hasOwn(catalogue, wanted) ? wanted : "en";
}

/** A text in the chosen language; a missing value becomes a dash. */
export function t(key, ...values) {
  const text = catalogue[chosen][key] ?? key;
  return typeof text === "function" ? text(...values.map((value) => value ?? "–")) : text;
}

/** A name from a table of names; a name that is not in it stays as the bot says it. */
export function nameOf(table, name) {
  return catalogue[chosen][table]?.[name] ?? String(name ?? "–");
}

/** A probe's figure in words; a figure without words stands behind its name. */
export function figureText(name, value) {
  const words = catalogue[chosen].figure[name];
  if (words) return words(value);
  return `${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${value}`;
}
