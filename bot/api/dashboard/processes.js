/** Processes: those that share the database, and what each does for all. */
import { showState } from "./cards.js";
import { button, drawList, element, pick, setText } from "./elements.js";
import { ago, wholeSpan } from "./formats.js";
import { nameOf, t } from "./texts.js";

/**
 * Shows nothing where the process works alone.
 *
 * @param onRestart Called with a process that is to restart.
 */
export function drawProcesses({ processes } = {}, onRestart) {
  const all = processes ?? [];
  pick("processes").hidden = all.every(({ number }) => number === 0);
  drawList(
    pick("process-rows"),
    all,
    ({ number }) => number,
    () => processRow(onRestart),
  );
}

export function processName({ host, pid }) {
  return `${host} · ${pid}`;
}

function processRow(onRestart) {
  let shown;
  const state = element("span", { class: "state" });
  const texts = Array.from({ length: 5 }, () => element("td"));
  const restart = button("", () => onRestart(shown), { class: "small" });
  const [name, ...others] = texts;
  const row = element(
    "tr",
    {},
    name,
    element("td", {}, state),
    ...others,
    element("td", {}, restart),
  );
  row.show = (one) => {
    shown = one;
    const alive = one.state === "alive";
    setText(name, `${processName(one)}${one.self ? ` (${t("process.self")})` : ""}`);
    const status = alive
      ? (one.health ?? "healthy")
      : one.state === "ended"
        ? "unknown"
        : "unhealthy";
    showState(state, status, alive ? nameOf("status", status) : nameOf("processState", one.state));
    setText(texts[1], one.roles.map(roleText).join(", ") || "–");
    setText(texts[2], wholeSpan(Date.now() - one.startedAtEpochMs));
    setText(texts[3], ago(one.beatAtEpochMs));
    setText(texts[4], one.version);
    setText(restart, t("process.restart"));
    restart.hidden = !alive;
    restart.setAttribute("aria-label", t("process.restartOf", processName(one)));
  };
  return row;
}

function roleText({ role, sinceEpochMs }) {
  const name = nameOf("roleName", role);
  return sinceEpochMs === undefined ? name : `${name} (${wholeSpan(Date.now() - sinceEpochMs)})`;
}
