/** About the bot: what it says about itself: its commands, its menu button, and its description. */
import { element } from "./element.js";
import { attempt } from "./notices.js";
import { isOwnChat, operate, pick, speaker, state } from "./state.js";

export class AboutBot {
  #profile;
  #say;
  #openApp;

  /** @param say Sends a text. @param openApp Opens a Mini App at an address. */
  constructor(say, openApp) {
    this.#say = say;
    this.#openApp = openApp;
    pick("bot-menu").addEventListener("click", () => this.#press());
  }

  /** Asks again, and draws what has changed. */
  async load() {
    const userId = speaker();
    if (userId === undefined) return;
    this.#profile = await operate("bot-profile", { userId });
    this.draw();
  }

  draw() {
    const { commands = [], menuButton = {} } = this.#profile ?? {};
    const isApp = menuButton.type === "web_app";
    pick("bot-menu").hidden = !isOwnChat() || (!isApp && commands.length === 0);
    pick("bot-menu").textContent = isApp ? menuButton.text : "☰ Menu";
    pick("bot-menu").setAttribute("aria-label", isApp ? menuButton.text : "Commands");
    pick("commands").hidden = true;
  }

  /** Above the line in which a person writes, commands that begin as they have. */
  typed(text) {
    const beginning = /^\/(\w*)$/.exec(text)?.[1];
    this.#show(beginning === undefined ? [] : this.#beginningWith(beginning));
  }

  /** Who the bot is, for a chat in which nothing was said. */
  introduction() {
    const { description, name, photo, shortDescription } = this.#profile ?? {};
    const words = description || shortDescription;
    if (!words) return [];
    const view = element("section", "introduction");
    if (photo) {
      const image = element("img");
      image.alt = "";
      image.src = `/sandbox/file?${new URLSearchParams({ id: photo, botId: state.botId })}`;
      image.addEventListener("error", () => image.remove());
      view.append(image);
    }
    view.append(element("strong", "", name), element("p", "", words));
    return [view];
  }

  #beginningWith(beginning) {
    const { commands = [] } = this.#profile ?? {};
    return commands.filter(({ command }) => command.startsWith(beginning.toLowerCase()));
  }

  #press() {
    const { menuButton } = this.#profile;
    if (menuButton.type === "web_app") return attempt(() => this.#openApp(menuButton.web_app.url));
    return this.#show(pick("commands").hidden ? this.#beginningWith("") : []);
  }

  #show(commands) {
    const items = commands.map(({ command, description }) => {
      const item = element("button", "result");
      item.type = "button";
      item.append(element("strong", "", `/${command}`), element("span", "faint", description));
      item.addEventListener("click", () => {
        this.#show([]);
        attempt(() => this.#say(`/${command}`));
      });
      return item;
    });
    pick("commands").replaceChildren(...items);
    pick("commands").hidden = items.length === 0;
  }
}
