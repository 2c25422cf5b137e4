/** Dead letters: shows a page of them at a time, and puts back or removes one or many. */
import { confirmed, openDialog, operate, toast } from "./dialogs.js";
import { button, element, pick, rowOf, setText } from "./elements.js";
import { count, instant } from "./formats.js";
import { nameOf, t } from "./texts.js";

const pageSize = 25;
/** Dead letters that one call of the API accepts. */
const bulkMax = 1_000;
export const types = ["update", "task", "send", "broadcast", "alert"];
export const reasons = [
  "attempts-exhausted",
  "refused",
  "quarantined",
  "ambiguous-dropped",
  "lane-full",
  "rate-limited",
];

export class DeadLetters {
  #api;
  #offset = 0;
  #filter = {};
  #page = { total: 0, deadLetters: [] };
  #chosen = new Set();
  #asking = 0;

  constructor(api) {
    this.#api = api;
    this.#listen();
  }

  /** Draws the texts again after a change of language. */
  drawTexts() {
    drawOptions(pick("dead-type"), types, (type) => type);
    drawOptions(pick("dead-reason"), reasons, (reason) => nameOf("reasonName", reason));
    this.#draw();
  }

  async refresh() {
    const asking = ++this.#asking;
    const query = new URLSearchParams({ ...this.#filter, offset: this.#offset, limit: pageSize });
    const page = await this.#api.ask(`/api/dead-letters?${query}`);
    if (asking !== this.#asking) return;
    this.#page = { total: page.total ?? 0, deadLetters: page.deadLetters ?? [] };
    if (this.#page.deadLetters.length === 0 && this.#offset > 0) {
      this.#offset = Math.max(0, Math.ceil(this.#page.total / pageSize) - 1) * pageSize;
      await this.refresh();
      return;
    }
    const present = new Set(this.#page.deadLetters.map(({ id }) => id));
    this.#chosen = new Set([...this.#chosen].filter((id) => present.has(id)));
    this.#draw();
  }

  #listen() {
    pick("dead-filter").addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = {
        type: pick("dead-type"),
        reason: pick("dead-reason"),
        code: pick("dead-code"),
      };
      const entries = Object.entries(wanted).map(([name, { value }]) => [name, value.trim()]);
      this.#filter = Object.fromEntries(entries.filter(([, value]) => value !== ""));
      void this.#turnTo(0);
    });
    pick("dead-newer").addEventListener("click", () => this.#turnTo(this.#offset - pageSize));
    pick("dead-older").addEventListener("click", () => this.#turnTo(this.#offset + pageSize));
    pick("dead-all").addEventListener("change", ({ target }) => {
      const ids = this.#page.deadLetters.map(({ id }) => id);
      this.#chosen = new Set(target.checked ? ids : []);
      this.#draw();
    });
    pick("dead-requeue").addEventListener("click", () => this.#doToMany("requeue"));
    pick("dead-delete").addEventListener("click", () => this.#doToMany("delete"));
  }

  async #turnTo(offset) {
    this.#offset = Math.max(0, offset);
    this.#chosen.clear();
    try {
      await this.refresh();
    } catch (error) {
      toast(`✖ ${error.message}`, "unhealthy");
    }
  }

  #draw() {
    const { deadLetters, total } = this.#page;
    const focused = document.activeElement?.dataset?.focus;
    pick("dead-rows").replaceChildren(...deadLetters.map((letter) => this.#row(letter)));
    if (focused) pick("dead-rows").querySelector(`[data-focus="${focused}"]`)?.focus();
    const filtered = Object.keys(this.#filter).length > 0;
    setText(pick("dead-total"), filtered ? "" : count(total));
    pick("dead-total").hidden = filtered || total === 0;
    setText(pick("dead-empty"), t(filtered ? "dead.noMatch" : "dead.none"));
    pick("dead-empty").hidden = total > 0;
    pick("dead-pages").hidden = total === 0;
    const to = this.#offset + deadLetters.length;
    setText(pick("dead-place"), t("place", count(this.#offset + 1), count(to), count(total)));
    pick("dead-newer").disabled = this.#offset === 0;
    pick("dead-older").disabled = to >= total;
    pick("dead-bulk").hidden = total === 0;
    const codes = new Set(deadLetters.flatMap(({ errors }) => errors?.at(-1)?.code ?? []));
    pick("dead-codes").replaceChildren(...[...codes].map((code) => new Option(code, code)));
    this.#drawChosen();
  }

  #drawChosen() {
    const { size } = this.#chosen;
    const text = size > 0 ? t("chosen", count(size)) : t("chosenNone", count(this.#page.total));
    setText(pick("dead-chosen"), text);
    const all = pick("dead-all");
    all.checked = size > 0 && size === this.#page.deadLetters.length;
    all.indeterminate = size > 0 && !all.checked;
  }

  #row(letter) {
    const { attempts, diedAtEpochMs, errors, id, reason, type } = letter;
    const choose = element("input", {
      type: "checkbox",
      "aria-label": t("choose", id),
      "data-focus": `choose-${id}`,
    });
    choose.checked = this.#chosen.has(id);
    choose.addEventListener("change", () => {
      if (choose.checked) this.#chosen.add(id);
      else this.#chosen.delete(id);
      this.#drawChosen();
    });
    const act = (verb, work) =>
      button(t(verb), work, {
        class: "small",
        "aria-label": t(`${verb}Of`, id),
        "data-focus": `${verb}-${id}`,
      });
    const last = errors?.at(-1);
    const buttons = element(
      "div",
      { class: "actions" },
      act("show", () => this.#show(id)),
      act("requeue", () => this.#doToOne("requeue", id)),
      act("delete", () => this.#doToOne("delete", id)),
    );
    const code = element("div", {}, element("code", {}, last?.code ?? "–"));
    if (last?.message) code.append(element("p", { class: "note" }, last.message));
    return rowOf([
      choose,
      `#${id}`,
      instant(diedAtEpochMs),
      type,
      nameOf("reasonName", reason),
      { text: code, class: "wide" },
      { text: count(attempts), class: "number" },
      buttons,
    ]);
  }

  async #show(id) {
    let letter;
    try {
      letter = await this.#api.ask(`/api/dead-letters/${id}`);
    } catch (error) {
      toast(`✖ ${error.message}`, "unhealthy");
      return;
    }
    setText(pick("letter-title"), t("letter", id));
    const facts = [
      [t("type"), letter.type],
      [t("pool"), nameOf("poolName", letter.pool)],
      [t("chat"), letter.lane],
      [t("priority"), letter.priority],
      [t("reason"), nameOf("reasonName", letter.reason)],
      [t("created"), instant(letter.createdAtEpochMs)],
      [t("died"), instant(letter.diedAtEpochMs)],
      [t("attempts"), count(letter.attempts)],
      [t("deaths"), count(letter.deaths)],
    ];
    const terms = facts.map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, value ?? "–")),
    );
    pick("letter-facts").replaceChildren(...terms);
    const errors = (letter.errors ?? []).map(({ atEpochMs, code, message }) =>
      element(
        "li",
        {},
        element("code", {}, code ?? ""),
        ` ${instant(atEpochMs)} · ${message ?? ""}`,
      ),
    );
    pick("letter-errors").replaceChildren(...errors);
    const payload = letter.payload && JSON.stringify(letter.payload, undefined, 2);
    setText(pick("letter-payload"), payload ?? t("payloadHidden"));
    const verb = await openDialog(pick("letter"));
    if (verb) await this.#doToOne(verb, id);
  }

  async #doToOne(verb, id) {
    if (verb === "delete" && !(await this.#sure(verb, 1))) return;
    await operate(this.#api, async () => {
      if (verb === "delete") await this.#api.act(`/api/dead-letters/${id}`, {}, "DELETE");
      else await this.#api.act(`/api/dead-letters/${id}/requeue`);
      this.#say(verb, 1);
    });
    await this.refresh().catch(() => {});
  }

  /** The chosen dead letters; when none is chosen, all that match the filter. */
  async #doToMany(verb) {
    const ids = [...this.#chosen];
    const filter = { ...this.#filter };
    const total = ids.length > 0 ? ids.length : this.#page.total;
    if (!(await this.#sure(verb, total))) return;
    let done = 0;
    let progress;
    await operate(this.#api, async () => {
      const wanted = ids.length > 0 ? { ids } : { filter };
      // Messages that are given up meanwhile were not meant.
      for (let rounds = Math.ceil(total / bulkMax); rounds > 0; rounds--) {
        const result = await this.#api.act(`/api/dead-letters/${verb}`, wanted);
        done += result.done ?? 0;
        if (!(result.remaining > 0)) break;
        const left = count(result.remaining);
        if (rounds > 1)
          progress = toast(t("done.progress", count(done), left), "healthy", progress);
      }
      this.#say(verb, done, progress);
    });
    this.#chosen.clear();
    await this.refresh().catch(() => {});
  }

  async #sure(verb, number) {
    const answer = await confirmed({
      title: t(`ask.${verb}`, count(number)),
      text: t(`ask.${verb}Text`),
      yes: t(verb),
    });
    return answer !== undefined;
  }

  #say(verb, number, before) {
    const text = t(verb === "delete" ? "done.deleted" : "done.requeued", count(number));
    toast(`✔ ${text}`, "healthy", before);
  }
}

function drawOptions(select, values, textOf) {
  const { value: chosen } = select;
  const options = values.map((value) => new Option(textOf(value), value));
  select.replaceChildren(new Option(t("any"), ""), ...options);
  select.value = chosen;
}
