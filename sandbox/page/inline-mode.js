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
  #press;

  /**
   * @param place The element for the results. @param operate Calls the control API.
   * @param press Called with a bot's id and the button above its results, when that is pressed.
   */
  constructor(place, operate, press) {
    this.#place = place;
    this.#operate = operate;
    this.#press = press;
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
    const button = await this.#operate("inline-button", { inlineQueryId, botId });
    const above = button ? [this.#buttonView(botId, button)] : [];
    if (results.length + above.length === 0) return this.#say("nothing found");
    const choose = async (resultId) => {
      this.#place.hidden = true;
      const chosen = { userId, chatId, inlineQueryId, resultId, botId };
      await this.#operate("choose-result", chosen);
      done();
    };
    this.#show([...above, ...results.map((result) => this.#view(result, choose))]);
  }

  #view(result, choose) {
    const button = element("button", "result pictured");
    button.type = "button";
    const title = String(result.title ?? result.type);
    const letter = element("span", "thumbnail", [...title][0]);
    letter.setAttribute("aria-hidden", "true");
    button.append(letter, element("strong", "", title));
    if (result.description) button.append(element("span", "faint", result.description));
    button.addEventListener("click", () => {
      choose(result.id).catch((error) => this.#say(error.message));
    });
    return button;
  }

  #buttonView(botId, button) {
    const view = element("button", "result above", button.text);
    view.type = "button";
    view.addEventListener("click", () => {
      this.#place.hidden = true;
      this.#press(botId, button);
    });
    return view;
  }

  #say(text) {
    this.#show([element("p", "faint", text)]);
  }

  #show(nodes) {
    this.#place.replaceChildren(...nodes);
    this.#place.hidden = false;
  }
}
