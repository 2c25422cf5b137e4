/** Inline mode: asks the bot while a person types "@bot …", and sends the result that they choose. */
import { element } from "./element.js";

const pauseMs = 300;
const askAgainMs = 200;
const patienceMs = 10_000;

export class InlineMode {
  #place;
  #operate;
  #timer;
  #turn = 0;

  /** @param place The element for the results. @param operate Calls the control API. */
  constructor(place, operate) {
    this.#place = place;
    this.#operate = operate;
  }

  /**
   * @param text What stands in the input field.
   * @param who The bots' ids, the person and the chat.
   * @param done Called when a result was sent.
   */
  typed(text, who, done) {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.#place.hidden = true;
    const botId = who.botIds.find((id) => text.startsWith(`@sandbox_${id}_bot `));
    if (botId === undefined) return;
    const query = text.slice(text.indexOf(" ") + 1);
    const turn = this.#turn;
    this.#timer = setTimeout(() => {
      this.#ask(turn, query, { ...who, botId }, done).catch((error) => this.#say(error.message));
    }, pauseMs);
  }

  async #ask(turn, query, { botId, chatId, userId }, done) {
    const { inlineQueryId } = await this.#operate("ask-inline", { userId, query, botId });
    const endsAt = performance.now() + patienceMs;
    let results = null;
    while (results === null && turn === this.#turn && performance.now() < endsAt) {
      await new Promise((resolve) => setTimeout(resolve, askAgainMs));
      results = await this.#operate("inline-results", { inlineQueryId, botId });
    }
    if (turn !== this.#turn) return;
    if (results === null) return this.#say("the bot does not answer");
    if (results.length === 0) return this.#say("nothing found");
    const choose = async (resultId) => {
      this.#place.hidden = true;
      const chosen = { userId, chatId, inlineQueryId, resultId, botId };
      await this.#operate("choose-result", chosen);
      done();
    };
    this.#show(results.map((result) => this.#view(result, choose)));
  }

  #view(result, choose) {
    const button = element("button", "result");
    button.type = "button";
    button.append(element("strong", "", result.title ?? result.type));
    if (result.description) button.append(element("span", "faint", result.description));
    button.addEventListener("click", () => {
      choose(result.id).catch((error) => this.#say(error.message));
    });
    return button;
  }

  #say(text) {
    this.#show([element("p", "faint", text)]);
  }

  #show(nodes) {
    this.#place.replaceChildren(...nodes);
    this.#place.hidden = false;
  }
}
