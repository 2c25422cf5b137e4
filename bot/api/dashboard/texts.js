/** Texts: everything the page says, in every language. Names that the bot uses stay as they are. */
import { zh } from "./chinese.js";
import { en } from "./english.js";

export const catalogue = { en, zh };

let chosen = "en";

export function language() {
  return chosen;
}

/** @param wanted One that there is no catalogue for is English. */
export function setLanguage(wanted) {
  chosen = Object.hasOwn(catalogue, wanted) ? wanted : "en";
}

/** A text in the chosen language; a value that is missing is a dash. */
export function t(key, ...values) {
  const text = catalogue[chosen][key] ?? key;
  return typeof text === "function" ? text(...values.map((value) => value ?? "–")) : text;
}

/** A name out of a table of names; one that is not there stays as the bot says it. */
export function nameOf(table, name) {
  return catalogue[chosen][table]?.[name] ?? String(name ?? "–");
}
