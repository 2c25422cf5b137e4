/** Lab: the panel with faults to switch on, and what the bot does about them. */
import { element } from "./element.js";

const refreshMs = 1_000;
const rowsMax = 200;
const minuteMs = 60_000;

/** Each switch adds a fault rule, and removes it when it is turned off. */
const faults = [
  ["Slow (2 s)", { match: "*", fault: { kind: "latency", ms: 2_000 } }],
  ["Never answers", { match: "*", fault: { kind: "hang" } }],
  [
    "Stops in the middle of an answer",
    { match: "*", fault: { kind: "hang", at: "after-headers" } },
  ],
  ["Closes the connection", { match: "*", fault: { kind: "close" } }],
  [
    "Sends, but loses the answer",
    { match: "sendMessage", fault: { kind: "close", execute: true } },
  ],
  ["Cuts the answer", { match: "*", fault: { kind: "cut", framing: "chunked" } }],
  ["Answers 502 with an HTML page", { match: "*", fault: { kind: "html", status: 502 } }],
  ["500", { match: "*", fault: { kind: "error", status: 500 } }],
  [
    "500, but sends",
    { match: "sendMessage", fault: { kind: "error", status: 500, execute: true } },
  ],
  ["429 (5 s)", { match: "sendMessage", fault: { kind: "error", status: 429, retryAfterS: 5 } }],
  ["409: another poller", { match: "getUpdates", fault: { kind: "conflict" } }],
  ["Webhook down", { match: "webhook", fault: { kind: "close" } }],
];

const pick = (id) => document.getElementById(id);

export class Lab {
  #operate;
  #attempt;
  #open = false;
  #sequence = 0;
  #revoked = false;
  #scenarios = [];
  #timer;

  /** @param operate Calls the control API. @param attempt Runs work, and shows its error. */
  constructor(operate, attempt) {
    this.#operate = operate;
    this.#attempt = attempt;
    this.#drawSwitches();
    this.#drawEvents();
    this.#listen();
  }

  #listen() {
    pick("lab-toggle").addEventListener("click", () => this.#toggle());
    pick("lab-close").addEventListener("click", () => {
      this.#toggle();
      pick("lab-toggle").focus();
    });
    const play = () => this.#operate("play-scenario", this.#scenarios[pick("scenario").value]);
    pick("play").addEventListener("click", () => this.#attempt(play));
    pick("stop").addEventListener("click", () =>
      this.#attempt(() => this.#operate("stop-scenario")),
    );
  }

  #toggle() {
    this.#open = !this.#open;
    document.body.classList.toggle("lab-open", this.#open);
    pick("lab").hidden = !this.#open;
    pick("lab-toggle").setAttribute("aria-expanded", String(this.#open));
    clearTimeout(this.#timer);
    if (!this.#open) return;
    this.#attempt(() => this.#drawScenarios());
    void this.#refresh();
    pick("lab-close").focus();
  }

  #drawSwitches() {
    for (const [label, rule] of faults) {
      const button = addButton("faults", "switch", label);
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => this.#attempt(() => this.#switch(button, rule)));
    }
    const token = addButton("faults", "switch", "Token revoked (401)");
    token.setAttribute("aria-pressed", "false");
    token.addEventListener("click", () => this.#attempt(() => this.#revoke(token)));
  }

  async #switch(button, rule) {
    const { faultId } = button.dataset;
    if (faultId) {
      await this.#operate("remove-fault", { id: Number(faultId) });
      delete button.dataset.faultId;
    } else {
      button.dataset.faultId = String((await this.#operate("add-fault", rule)).id);
    }
    button.setAttribute("aria-pressed", String(!faultId));
  }

  async #revoke(button) {
    await this.#operate("revoke-token", { revoked: !this.#revoked });
    this.#revoked = !this.#revoked;
    button.setAttribute("aria-pressed", String(this.#revoked));
  }

  #drawEvents() {
    const events = [
      ["Outage (10 s)", () => this.#operate("outage", { ms: 10_000 })],
      ["Repeat the last update", () => this.#repeatLast()],
      ["Jump the update id", () => this.#jump()],
      ["Expire button presses", () => this.#operate("expire-queries")],
      ["A minute passes", () => this.#operate("advance-clock", { ms: minuteMs })],
      ["An hour passes", () => this.#operate("advance-clock", { ms: 60 * minuteMs })],
    ];
    for (const [label, work] of events) {
      addButton("events", "event", label).addEventListener("click", () => this.#attempt(work));
    }
  }

  async #repeatLast() {
    const { nextUpdateId } = await this.#operate("queue");
    const { found } = await this.#operate("redeliver", { updateId: nextUpdateId - 1 });
    if (!found) throw new Error("there has been no update yet");
  }

  async #jump() {
    const { nextUpdateId } = await this.#operate("queue");
    await this.#operate("jump-update-id", { to: nextUpdateId + 100_000 });
  }

  async #drawScenarios() {
    this.#scenarios = await this.#operate("scenarios");
    const options = this.#scenarios.map(({ name }, index) => new Option(name, index));
    pick("scenario").replaceChildren(...options);
  }

  async #refresh() {
    if (!this.#open) return;
    try {
      const [entries, queue, violations, scenario, rules] = await Promise.all([
        this.#operate("journal", { after: this.#sequence, limit: 1_000 }),
        this.#operate("queue"),
        this.#operate("violations"),
        this.#operate("scenario"),
        this.#operate("faults"),
      ]);
      this.#drawJournal(entries);
      drawState(queue, violations, scenario);
      forgetEnded(new Set(rules.map(({ id }) => String(id))));
    } catch {
      // An outage also stops the control API; the panel goes on when it is over.
    }
    this.#timer = setTimeout(() => void this.#refresh(), refreshMs);
  }

  /** The next look begins at the first entry that was still unanswered. */
  #drawJournal(entries) {
    const body = pick("journal");
    for (const entry of entries) {
      const row = journalRow(entry);
      const known = body.querySelector(`[data-sequence="${entry.sequence}"]`);
      if (known) known.replaceWith(row);
      else body.prepend(row);
    }
    while (body.rows.length > rowsMax) body.deleteRow(-1);
    const open = entries.find(({ answeredAtMs }) => answeredAtMs === null);
    const last = entries.at(-1)?.sequence ?? this.#sequence;
    this.#sequence = Math.max(last - rowsMax, open ? open.sequence - 1 : last);
  }
}

function addButton(parentId, className, label) {
  const button = element("button", className, label);
  button.type = "button";
  pick(parentId).append(button);
  return button;
}

/** Turns off the switches whose rule was removed elsewhere. */
function forgetEnded(ids) {
  for (const button of pick("faults").querySelectorAll("[data-fault-id]")) {
    if (ids.has(button.dataset.faultId)) continue;
    delete button.dataset.faultId;
    button.setAttribute("aria-pressed", "false");
  }
}

function drawState(queue, violations, scenario) {
  const intake = queue.webhookUrl ? "webhook" : queue.waiting ? "a poll waits" : "no poll";
  const { done, name, playing, steps } = scenario;
  const play = playing ? ` · ${name}: ${done}/${steps}` : "";
  pick("queue").textContent = `${queue.pending} updates pending · ${intake}${play}`;
  const counts = new Map();
  for (const { rule } of violations) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  const texts = [...counts].map(([rule, count]) => `${rule}: ${count}`);
  const bad = texts.length > 0;
  pick("violations").textContent = bad ? texts.join(", ") : "no limit exceeded, no duplicate";
  pick("violations").classList.toggle("bad", bad);
}

function journalRow(entry) {
  const row = document.createElement("tr");
  const time = new Date(entry.arrivedAtEpochMs).toLocaleTimeString([], { hour12: false });
  const tookMs =
    entry.answeredAtMs === null ? "…" : Math.round(entry.answeredAtMs - entry.arrivedAtMs);
  const effect = entry.executed ? "✓" : "–";
  const cells = [
    time,
    entry.method,
    entry.status ?? "–",
    `${tookMs} ms`,
    effect,
    entry.fault ?? "",
  ];
  row.append(...cells.map((text) => element("td", "", String(text))));
  row.dataset.sequence = String(entry.sequence);
  row.title = entry.description ?? "";
  if (entry.fault || (entry.status ?? 0) >= 400) row.className = "bad";
  return row;
}
