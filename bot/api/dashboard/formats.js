/** Formats: figures and instants for people. A missing value is a dash. */
import { language, nameOf, t } from "./texts.js";

const none = "–";
const known = (value) => typeof value === "number" && Number.isFinite(value);

export function count(value) {
  return known(value) ? value.toLocaleString(language()) : none;
}

/** A number with three significant digits. */
export function figure(value) {
  if (!known(value)) return none;
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString(language(), { maximumFractionDigits: digits });
}

export function perSecond(value) {
  return known(value) ? `${figure(value)}/s` : none;
}

export function percent(share) {
  return known(share) ? `${figure(share * 100)} %` : none;
}

export function bytes(value) {
  if (!known(value)) return none;
  if (value < 1024) return `${value} B`;
  const units = ["KB", "MB", "GB", "TB"];
  const power = Math.min(units.length, Math.floor(Math.log2(value) / 10));
  return `${figure(value / 1024 ** power)} ${units[power - 1]}`;
}

/** A time span in its one or two largest units. */
export function span(ms) {
  if (!known(ms)) return none;
  if (ms < 1_000) return inUnits([ms < 10 ? figure(ms) : Math.round(ms), "ms"]);
  if (ms < 60_000) return inUnits([figure(Math.floor(ms / 100) / 10), "s"]);
  const seconds = Math.floor(ms / 1000);
  const [days, hours, minutes] = [86_400, 3_600, 60].map((unit, index) =>
    Math.floor((seconds % [Number.POSITIVE_INFINITY, 86_400, 3_600][index]) / unit),
  );
  if (days > 0) return inUnits([days, "d"], [hours, "h"]);
  if (hours > 0) return inUnits([hours, "h"], [minutes, "min"]);
  return inUnits([minutes, "min"], [seconds % 60, "s"]);
}

function inUnits(...parts) {
  return parts.map(([value, unit]) => `${value} ${nameOf("unit", unit)}`).join(" ");
}

/** A time span without fractions of a second. */
export function wholeSpan(ms) {
  return known(ms) && ms < 60_000 ? inUnits([Math.max(0, Math.round(ms / 1000)), "s"]) : span(ms);
}

export function clockTime(epochMs) {
  if (!known(epochMs)) return none;
  return new Date(epochMs).toLocaleTimeString(language(), { hour12: false });
}

/** The time of day, with the date when it is not today. */
export function instant(epochMs) {
  if (!known(epochMs)) return none;
  const date = new Date(epochMs);
  const time = clockTime(epochMs);
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${date.toLocaleDateString(language(), { month: "short", day: "numeric" })} ${time}`;
}

const pastUnits = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
];

/** The age in one unit, so that the text does not change every second. */
export function age(epochMs) {
  if (!known(epochMs)) return none;
  const ms = Math.max(0, Date.now() - epochMs);
  const [size, unit] = pastUnits.find(([unitMs]) => ms >= unitMs) ?? [1_000, "s"];
  return inUnits([Math.floor(ms / size), unit]);
}

export function ago(epochMs) {
  return known(epochMs) ? t("ago", age(epochMs)) : none;
}

/** An amount in whole minor units. Without a currency it is a bare number. */
export function money(minor, { code, exponent } = {}) {
  if (!known(minor)) return none;
  if (!/^[A-Z]{3}$/.test(code ?? "") || !(exponent >= 0 && exponent <= 4)) return count(minor);
  const digits = { minimumFractionDigits: exponent, maximumFractionDigits: exponent };
  const style = { style: "currency", currency: code, ...digits };
  return (minor / 10 ** exponent).toLocaleString(language(), style);
}

export function utcDay(epochMs) {
  if (!known(epochMs)) return none;
  const form = { month: "short", day: "numeric", timeZone: "UTC" };
  return new Date(epochMs).toLocaleDateString(language(), form);
}

export function utcHour(epochMs) {
  if (!known(epochMs)) return none;
  const form = { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "UTC" };
  return `${utcDay(epochMs)} ${new Date(epochMs).toLocaleTimeString(language(), form)}`;
}
