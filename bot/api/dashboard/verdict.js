/** Verdict: the state of the bot in one sentence, and the reasons for it, the worst first. */
import { span, wholeSpan } from "./formats.js";
import { nameOf, t } from "./texts.js";

const severity = { healthy: 0, degraded: 1, unhealthy: 2 };

/** A sign for each status, so that colour is never the only difference. */
export const signs = {
  healthy: "✔",
  degraded: "▲",
  unhealthy: "✖",
  unknown: "?",
  disconnected: "⊘",
};

/**
 * @param state The answers of the API; any of them may be missing.
 * @param nowMs Milliseconds since the epoch.
 * @returns `status`, `sentence`, and `reasons`: each with its own status and text, and with `more`
 *   for texts that count seconds: the sentence is read aloud at every change, so it has none.
 */
export function judge(state, nowMs) {
  if (state.lost) {
    return { status: "disconnected", sentence: t("verdict.lost"), reasons: [] };
  }
  if (!state.health && !state.status) {
    return { status: "unknown", sentence: t("verdict.wait"), reasons: [] };
  }
  const reasons = [
    ...ofSafeMode(state.status?.safeMode),
    ...ofRestart(state.status?.process),
    ...ofProbes(state),
    ...ofBreaker(state.status?.breaker),
    ...ofIncidents(state, nowMs),
    ...ofComponents(state),
    ...ofIntake(state),
    ...ofPools(state.queue),
    ...ofLeak(state.status?.process?.leak),
  ].sort((one, other) => severity[other.status] - severity[one.status]);
  const said = state.health?.status ?? "healthy";
  const worst = reasons[0]?.status ?? "healthy";
  const status = severity[worst] > (severity[said] ?? 0) ? worst : said;
  return { status, sentence: sentenceOf(status, reasons), reasons };
}

function sentenceOf(status, [first, ...others]) {
  const name = nameOf("status", status);
  if (!first) return status === "healthy" ? t("verdict.well") : name;
  if (others.length === 0) return t("verdict.one", name, first.text);
  return t("verdict.more", name, first.text, others.length);
}

function ofProbes({ health, status }) {
  return Object.entries(health?.checks ?? {}).flatMap(([name, check]) => {
    if (!check || check.status === "healthy" || !(check.status in severity)) return [];
    // Safe mode gives a better reason.
    if (name === "restarts" && (status?.safeMode?.state ?? "off") !== "off") return [];
    const part = nameOf("probe", name);
    const reason = check.reason ?? nameOf("status", check.status);
    const text = reason.startsWith(part) ? reason : t("why.probe", part, reason);
    return [{ status: check.status, text }];
  });
}

function ofSafeMode(safeMode) {
  const { concurrency, deaths, state = "off" } = safeMode ?? {};
  if (state === "careful") {
    return [{ status: "degraded", text: t("why.safe", deaths, concurrency) }];
  }
  return state === "off" ? [] : [{ status: "degraded", text: t("why.watching", deaths) }];
}

function ofRestart(process) {
  const { detail, type } = process?.restartRequested ?? {};
  return type ? [{ status: "degraded", text: t("why.restart", detail ?? type) }] : [];
}

function ofBreaker(breaker) {
  if (breaker === "open") return [{ status: "degraded", text: t("why.breaker") }];
  return breaker === "half-open" ? [{ status: "degraded", text: t("why.half") }] : [];
}

/** Open incidents, except those whose probe has already given a reason. */
function ofIncidents({ health, incidents }, nowMs) {
  return (incidents?.incidents ?? []).flatMap((incident) => {
    if (!incident || incident.closedAtEpochMs !== undefined) return [];
    const [, probe] = /^health of (.+)$/.exec(incident.subject) ?? [];
    if (probe && (health?.checks?.[probe]?.status ?? "healthy") !== "healthy") return [];
    const trouble = nameOf("troubleName", incident.trouble);
    const tried = measuresText(incident.measures);
    const more = [
      t("why.open", wholeSpan(nowMs - incident.openedAtEpochMs)),
      ...(tried ? [t("why.tried", tried)] : []),
    ].join(" · ");
    return [{ status: "degraded", text: t("why.incident", incident.subject, trouble), more }];
  });
}

export function measuresText(measures) {
  return (measures ?? [])
    .map(
      ({ measure, times }) => `${nameOf("measureName", measure)}${times > 1 ? ` ×${times}` : ""}`,
    )
    .join(", ");
}

function ofComponents({ health, status }) {
  if ((health?.checks?.components?.status ?? "healthy") !== "healthy") return [];
  return (status?.components ?? []).flatMap(({ name, state }) =>
    state && state !== "alive"
      ? [{ status: "degraded", text: t("why.component", name, nameOf("component", state)) }]
      : [],
  );
}

function ofIntake({ health, status }) {
  const { reason, state } = status?.intake ?? {};
  if (state === "back-pressure") return [{ status: "degraded", text: t("why.pressure") }];
  if (state === "held") return [{ status: "degraded", text: t("why.onPurpose") }];
  if (state === "stopped") return [{ status: "degraded", text: t("why.stopped") }];
  const told = (health?.checks?.telegram?.status ?? "healthy") !== "healthy";
  if (state !== "backing-off" || told) return [];
  return [{ status: "degraded", text: t("why.backing", reason ?? "–") }];
}

function ofPools(queue) {
  return Object.entries(queue?.pools ?? {}).flatMap(([name, pool]) =>
    pool?.paused ? [{ status: "degraded", text: t("why.paused", nameOf("poolName", name)) }] : [],
  );
}

function ofLeak(leak) {
  if (leak?.kind !== "leaking") return [];
  return [{ status: "degraded", text: t("why.leak", span(leak.hoursToLimit * 3_600_000)) }];
}
