/**
 * Stream: receives the bot's events as they happen, over one request that stays open.
 *
 *   waiting --answer--> open --end, error, silence--> waiting (back-off) --> …
 *           --401-----> locked, until there is another token than the one that was refused
 *
 * It uses fetch, because EventSource cannot send a token.
 */

const silenceMs = 20_000;
const retryFirstMs = 500;
const retryMaxMs = 5_000;

export class Stream {
  /** "waiting" | "open" | "locked" */
  state = "waiting";
  /** The bot's reason for a refusal; "" when there was no answer. */
  reason = "";
  nextTryAtMs = 0;
  #api;
  #on;
  #lastId;
  #failures = 0;
  #wake = () => {};
  #end = () => {};

  /** @param on `entry(kind, data)`, `change()` when the state changes, `opened()`. */
  constructor(api, on) {
    this.#api = api;
    this.#on = on;
  }

  async run() {
    while (true) {
      const { token } = this.#api;
      try {
        await this.#follow();
        this.#become("waiting", "");
      } catch (error) {
        const reason = error.status ? error.message : "";
        // A token that was given meanwhile has not been refused yet.
        const locked = error.status === 401 && token === this.#api.token;
        this.#become(locked ? "locked" : "waiting", reason);
      }
      await this.#pause();
    }
  }

  /** Tries again at once, e.g. with another token. */
  retry() {
    this.#failures = 0;
    this.#end();
    this.#wake();
  }

  async #follow() {
    const ending = new AbortController();
    this.#end = () => ending.abort();
    let silence = setTimeout(this.#end, silenceMs);
    try {
      const headers = { ...this.#api.headers, accept: "text/event-stream" };
      if (this.#lastId) headers["last-event-id"] = this.#lastId;
      const response = await fetch("/api/events", {
        headers,
        cache: "no-store",
        signal: ending.signal,
      });
      if (!response.ok) throw await refusal(response);
      this.#failures = 0;
      this.#become("open", "");
      this.#on.opened();
      let rest = "";
      for await (const text of textOf(response.body)) {
        clearTimeout(silence);
        silence = setTimeout(this.#end, silenceMs);
        const blocks = (rest + text).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) this.#take(block);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  #take(block) {
    const fields = new Map();
    for (const line of block.split("\n")) {
      const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      if (name) fields.set(name, value);
    }
    if (fields.has("id")) this.#lastId = fields.get("id");
    if (!fields.has("data")) return;
    let data;
    try {
      data = JSON.parse(fields.get("data"));
    } catch {
      // The connection was cut off in the middle of an entry; the entry comes again after the last id.
      return;
    }
    this.#on.entry(fields.get("event") ?? "fact", data);
  }

  #become(state, reason) {
    this.state = state;
    this.reason = reason;
    this.#on.change();
  }

  async #pause() {
    const limitMs = Math.min(retryMaxMs, retryFirstMs * 2 ** this.#failures++);
    // A random part of the delay keeps many dashboards from coming back at once.
    const delayMs = this.state === "locked" ? undefined : limitMs * (0.5 + Math.random() / 2);
    this.nextTryAtMs = Date.now() + (delayMs ?? 0);
    await new Promise((resolve) => {
      this.#wake = resolve;
      if (delayMs !== undefined) setTimeout(resolve, delayMs);
    });
  }
}

async function refusal(response) {
  const answer = await response.json().catch(() => ({}));
  const error = new Error(answer.error?.message ?? `HTTP ${response.status}`);
  error.status = response.status;
  return error;
}

/** Not every browser can iterate a readable stream. */
async function* textOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
