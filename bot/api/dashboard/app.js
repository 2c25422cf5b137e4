/**
 * App: the dashboard. It asks for everything when the stream opens and after every event, at most once a
 * second, draws the answers and says how old they are.
 */
import { Api } from "./api.js";
import { Beats, drawComponents, drawProbes, noteComponents, showState } from "./cards.js";
import { Charts } from "./charts.js";
import { DeadLetters } from "./dead-letters.js";
import { askForToken, confirmed, listenToDialogs, operate, toast } from "./dialogs.js";
import { drawChildren, element, pick, setText } from "./elements.js";
import { bytes, count, figure, percent, perSecond, span, wholeSpan } from "./formats.js";
import { drawHolds } from "./holds.js";
import { Panels } from "./panels.js";
import { drawProcesses, processName } from "./processes.js";
import { drawErrors, drawIncidents, drawRestarts } from "./records.js";
import { Stream } from "./stream.js";
import { factLine, logLine, Tail } from "./tails.js";
import { language, nameOf, setLanguage, t } from "./texts.js";
import { judge, signs } from "./verdict.js";
import {
  countsText,
  delayedName,
  drawConnections,
  drawDelayed,
  drawPools,
  poolText,
} from "./work.js";

/** Milliseconds between two rounds of questions, so that many events cost no more than one. */
const lookEveryMs = 1_000;
/** Milliseconds between two questions for health: each makes the bot check itself. */
const healthEveryMs = 4_000;
/** From this age on the state is old, even if the stream is open. */
const oldAfterMs = 12_000;
const tickMs = 1_000;

/** Paths asked for in each round, beside the status. */
const looks = {
  queue: "/api/message-queue",
  connections: "/api/connections",
  delayed: "/api/message-queue/delayed?limit=25",
  holds: "/api/holds",
  incidents: "/api/incidents?limit=100",
  errors: "/api/errors?limit=100",
  restarts: "/api/restarts?limit=50",
  processes: "/api/processes",
};

const state = {};
// Whoever asked for the token, e.g. to restart a component: what waits for one goes on.
const api = new Api(() => {
  if (stream.state === "locked") stream.retry();
});
const beats = new Beats();
const charts = new Charts(pick("chart-grid"), pick("cursor"));
const deadLetters = new DeadLetters(api);
const panels = new Panels(api);
const log = new Tail(pick("log-lines"), pick("log-empty"));
const facts = new Tail(pick("event-lines"), pick("events-empty"));
const stream = new Stream(api, { entry: takeEntry, change: takeLinkChange, opened: begin });
let logOffered = true;
/** A log level has been chosen and not been set yet. */
let levelChosen = false;
let lookedAtMs;
let healthAtMs = 0;
let unanswered = false;
let looking = false;
let wanted = false;

// ---- looking ----------------------------------------------------------------------------------

/** Asks for the parts; a part without an answer stays as it was. */
async function lookAt(names, paths) {
  try {
    // The status is asked for alone, because every wrong token counts towards a lock.
    state.status = await api.ask("/api/status");
  } catch (error) {
    if (error.status === 401) stream.retry();
    return false;
  }
  const answers = await Promise.allSettled(paths.map((path) => api.ask(path)));
  answers.forEach(({ status, value }, index) => {
    if (status === "fulfilled") state[names[index]] = value;
  });
  return true;
}

async function look() {
  wanted = true;
  if (looking) return;
  looking = true;
  while (wanted) {
    wanted = false;
    const names = Object.keys(looks);
    const paths = Object.values(looks);
    if (Date.now() - healthAtMs >= healthEveryMs) {
      names.push("health");
      paths.push("/api/health");
      healthAtMs = Date.now();
    }
    const letters = state.queue?.deadLetters;
    unanswered = !(await lookAt(names, paths));
    if (!unanswered) {
      lookedAtMs = Date.now();
      void panels.refresh();
    }
    if (state.queue?.deadLetters !== letters) void deadLetters.refresh().catch(() => {});
    noteBeats();
    charts.mark(marksOfRecords());
    draw();
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  looking = false;
}

function noteBeats() {
  for (const [name, check] of Object.entries(state.health?.checks ?? {})) {
    beats.add(name, check?.answer ?? check?.status, Date.parse(check?.checkedAt));
  }
  noteComponents(state.status?.components, beats, lookedAtMs ?? 0);
}

/** Marks from the records, which survive a restart; the marks of the charts do not. */
function marksOfRecords() {
  const starts = (state.restarts?.restarts ?? []).map(({ startedAtEpochMs }) => {
    return { atEpochMs: startedAtEpochMs, kind: "restart", label: "process" };
  });
  const incidents = (state.incidents?.incidents ?? []).map(({ openedAtEpochMs, subject }) => {
    return { atEpochMs: openedAtEpochMs, kind: "incident", label: subject };
  });
  return [...starts, ...incidents];
}

/** Catches up on what was missed, whenever the stream opens. */
async function begin() {
  healthAtMs = 0;
  void look();
  const [history, series, logs, brought] = await Promise.allSettled([
    api.ask("/api/health/history"),
    api.ask("/api/series"),
    api.ask("/api/logs?limit=200"),
    api.ask("/api/panels"),
  ]);
  if (brought.value) panels.load(brought.value);
  if (history.value) beats.load(history.value.probes);
  if (series.value) charts.load(series.value);
  logOffered = logs.status === "fulfilled";
  if (logs.value) {
    log.clear();
    for (const line of [...(logs.value.lines ?? [])].reverse()) log.add(logLine(line));
  }
  void deadLetters.refresh().catch(() => {});
  draw();
}

const markOf = {
  "component.restart-begun": ({ component }) => ["restart", component],
  "breaker.opened": ({ type }) => ["breaker", type],
  "breaker.closed": ({ type }) => ["breaker", type],
};

function takeEntry(kind, data) {
  if (kind === "sample") charts.add(data);
  if (kind === "log" && (data.level === "warn" || data.level === "error")) log.add(logLine(data));
  if (kind === "fact") {
    facts.add(factLine(data));
    const [what, label] = markOf[data.type]?.(data) ?? [];
    if (what) charts.mark([{ atEpochMs: data.atEpochMs, kind: what, label }]);
    if (data.type === "health.changed") healthAtMs = 0;
  }
  if (kind !== "log" && !document.hidden) void look();
}

// ---- drawing ----------------------------------------------------------------------------------

function draw() {
  const { status } = state;
  drawVerdict();
  drawFigures();
  const { pid, profile, uptimeSeconds, version } = status ?? {};
  const uptime = wholeSpan(uptimeSeconds * 1000);
  setText(pick("identity"), status ? t("identity", version, profile, uptime, pid) : "");
  drawProbes(pick("probes"), state.health?.checks, beats);
  drawComponents(
    {
      details: pick("components-details"),
      list: pick("components"),
      summary: pick("components-summary"),
    },
    status?.components,
    beats,
    restartComponent,
  );
  drawConnections(pick("connections"), state.connections);
  setText(pick("pool"), poolText(state.connections));
  drawPools(pick("pools"), state.queue, setPaused);
  setText(pick("counts"), countsText(state.queue));
  drawDelayed(pick("delayed-rows"), state.delayed, runNow);
  drawBadge("delayed-total", state.delayed?.total);
  pick("delayed-empty").hidden = (state.delayed?.delayed ?? []).length > 0;
  drawHolds(pick("hold-rows"), state.holds, release);
  pick("holds-empty").hidden = (state.holds?.holds ?? []).length > 0;
  drawIncidents(pick("incident-rows"), state.incidents);
  drawBadge("incidents-open", state.incidents?.open);
  drawBadge("dead-number", state.queue?.deadLetters);
  pick("incidents-empty").hidden = (state.incidents?.incidents ?? []).length > 0;
  drawErrors(pick("errors"), state.errors);
  pick("errors-empty").hidden = (state.errors?.groups ?? []).length > 0;
  drawRestarts(pick("restarts"), state.restarts);
  drawProcesses(state.processes, restartOther);
  setText(pick("log-empty"), t(logOffered ? "log.none" : "log.missing"));
  const level = state.health?.checks?.log?.level;
  if (level && !levelChosen) pick("log-level").value = level;
  setText(pick("token"), t(api.token ? "token.set" : "token.none"));
}

function isOld() {
  if (lookedAtMs === undefined) return false;
  return stream.state !== "open" || (unanswered && Date.now() - lookedAtMs > oldAfterMs);
}

function drawBadge(id, number) {
  pick(id).hidden = !(number > 0);
  setText(pick(id), count(number));
}

function drawVerdict() {
  const { reasons, sentence, status } = judge({ ...state, lost: isOld() }, Date.now());
  pick("verdict").dataset.status = status;
  setText(pick("verdict-icon"), signs[status]);
  setText(pick("verdict-text"), sentence);
  const items = reasons.map(({ more, status: one, text }) => {
    const state = element("span", { class: "state" });
    showState(state, one, nameOf("status", one));
    const note = more && element("span", { class: "note" }, ` · ${more}`);
    return element("li", {}, state, ` ${text}`, note);
  });
  // A single reason is already in the sentence.
  const told = items.length === 1 && !reasons[0].more;
  drawChildren(pick("reasons"), told ? [] : items);
  document.title = `${signs[status]} ${nameOf("status", status)} · ${t("title")}`;
}

function drawFigures() {
  const point = charts.latest ?? {};
  const { memoryLimitBytes } = state.status?.process ?? {};
  const shown = [
    ["received", perSecond(point.receivedPerSecond)],
    ["handled", perSecond(point.handledPerSecond)],
    ["sent", perSecond(point.sentPerSecond)],
    ["latency", span(point.handlingP95Ms)],
    ["waiting", figure(point.waiting)],
    ["oldest", span(point.oldestAgeMs)],
    ["dead", count(state.queue?.deadLetters ?? point.deadLetters)],
    [memoryLimitBytes ? "memoryOf" : "memory", bytes(point.rssBytes), bytes(memoryLimitBytes)],
    ["cpu", percent(point.cpuPercent / 100)],
    ["loop", span(point.loopDelayMs)],
  ];
  const items = shown.map(([name, value, ...more]) =>
    element("div", {}, element("dt", {}, t(`figures.${name}`, ...more)), element("dd", {}, value)),
  );
  drawChildren(pick("figures"), items);
}

function drawLink() {
  const link = pick("link");
  const open = stream.state === "open";
  link.dataset.state = stream.state;
  const first = stream.state === "waiting" && stream.nextTryAtMs === 0;
  const name = first ? t("connecting") : t(`link.${stream.state}`);
  setText(link, `${open ? "●" : "⊘"} ${name}`);
  document.body.classList.toggle("stale", isOld());
  const quiet = lookedAtMs === undefined ? open || stream.nextTryAtMs === 0 : !isOld();
  pick("offline").hidden = quiet;
  if (!quiet) setText(pick("offline-text"), offlineText());
  setText(pick("retry"), t(stream.state === "locked" ? "token.give" : "retryNow"));
  drawVerdict();
}

function takeLinkChange() {
  drawLink();
  if (stream.state === "locked" && !pick("ask-token").open) void unlock();
}

function offlineText() {
  if (stream.state === "locked") return t("locked");
  const leftMs = stream.nextTryAtMs - Date.now();
  const next = leftMs > 500 ? t("inTime", wholeSpan(leftMs)) : t("now");
  const text =
    lookedAtMs === undefined
      ? t("offlineNever", next)
      : t("offline", wholeSpan(Date.now() - lookedAtMs), next);
  return stream.reason ? `${text} (${stream.reason})` : text;
}

function unlock() {
  return askForToken(api, t("token.read"), api.token ? stream.reason : "");
}

function tick() {
  if (stream.state !== "open" || unanswered) drawLink();
  setTimeout(tick, tickMs);
}

function drawTexts() {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  for (const place of document.querySelectorAll("[data-text]")) {
    setText(place, t(place.dataset.text));
  }
  for (const place of document.querySelectorAll("[data-label]")) {
    place.setAttribute("aria-label", t(place.dataset.label));
  }
  deadLetters.drawTexts();
  panels.draw();
  charts.rebuild();
  drawLink();
  draw();
}

// ---- doing ------------------------------------------------------------------------------------

async function restartComponent(name) {
  await restart(name, { component: name }, t("ask.restart", name), t("ask.restartText"));
}

async function restart(what, target, title, text) {
  const reason = await confirmed({ title, text, wantsReason: true, yes: t("restart") });
  if (reason === undefined) return;
  await operate(api, async () => {
    await api.act("/api/restart", { ...target, ...(reason && { reason }) });
    toast(`✔ ${t("done.restart", what)}`);
  });
  void look();
}

async function setPaused(pool, paused) {
  const name = nameOf("poolName", pool);
  if (paused) {
    const question = { title: t("ask.pause", name), text: t("ask.pauseText"), yes: t("pause") };
    if ((await confirmed(question)) === undefined) return;
  }
  await operate(api, async () => {
    await api.act(`/api/message-queue/${paused ? "pause" : "resume"}`, { pool });
    toast(`✔ ${t(paused ? "done.paused" : "done.resumed", name)}`);
  });
  void look();
}

async function runNow(message) {
  const name = delayedName(message);
  const question = { title: t("ask.runNow", name), text: t("ask.runNowText"), yes: t("runNow") };
  if ((await confirmed(question)) === undefined) return;
  await operate(api, async () => {
    await api.act(`/api/message-queue/delayed/${message.id}/run`);
    toast(`✔ ${t("done.runNow", name)}`);
  });
  void look();
}

async function restartOther(one) {
  const name = processName(one);
  const question = {
    title: t("ask.restartOther", name),
    text: t("ask.restartOtherText"),
    yes: t("process.restart"),
  };
  if ((await confirmed(question)) === undefined) return;
  await operate(api, async () => {
    await api.act(`/api/processes/${one.number}/restart`);
    toast(`✔ ${t("done.restartOther", name)}`);
  });
  void look();
}

async function release({ id, kind, reason }) {
  const name = nameOf("holdName", kind);
  const question = { title: t("ask.release", name), text: reason, yes: t("release") };
  if ((await confirmed(question)) === undefined) return;
  await operate(api, async () => {
    await api.act(`/api/holds/${encodeURIComponent(id)}/release`, {});
    toast(`✔ ${t("done.released", name)}`);
  });
  void look();
}

function listen() {
  listenToDialogs();
  pick("retry").addEventListener("click", () =>
    stream.state === "locked" ? unlock() : stream.retry(),
  );
  pick("token").addEventListener("click", async () => {
    await askForToken(api, t("token.change"));
    stream.retry();
    draw();
  });
  pick("restart-process").addEventListener("click", () =>
    restart(t("process"), {}, t("ask.restartProcess"), t("ask.restartProcessText")),
  );
  pick("backup").addEventListener("click", () =>
    operate(api, async () => {
      const working = toast(t("working"));
      const { bytes: size, durationMs, file } = await api.act("/api/backup");
      toast(`✔ ${t("done.backup", file, bytes(size), span(durationMs))}`, "healthy", working);
    }),
  );
  pick("log-level").addEventListener("change", () => {
    levelChosen = true;
  });
  pick("set-log-level").addEventListener("click", () =>
    operate(api, async () => {
      const { level } = await api.act("/api/log-level", { level: pick("log-level").value });
      levelChosen = false;
      healthAtMs = 0;
      toast(`✔ ${t("done.level", level)}`);
      await look();
    }),
  );
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && stream.state === "open") void look();
  });
  // A canvas does not follow the style sheet.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.rebuild());
}

/** Keeps a choice of the reader over visits; the browser's setting is the default. */
function listenToChoice(id, first, apply) {
  const select = pick(id);
  select.value = localStorage.getItem(id) ?? first;
  if (select.selectedIndex < 0) select.value = first;
  apply(select.value);
  select.addEventListener("change", () => {
    localStorage.setItem(id, select.value);
    apply(select.value);
    drawTexts();
  });
}

listen();
listenToChoice("theme", "auto", (theme) => {
  document.documentElement.dataset.theme = theme;
});
listenToChoice("language", /^zh/i.test(navigator.language) ? "zh" : "en", setLanguage);
drawTexts();
tick();
await stream.run();
