/** Reply keyboard: the buttons below the field in which a person writes, and what they ask for. */
import { ask } from "./dialogs.js";
import { element } from "./element.js";
import { attempt } from "./notices.js";
import { currentBot, operate, pick, place, state, summary } from "./state.js";

export class ReplyKeyboard {
  #composer;
  #openApp;
  /** Keyboards that are shown for one press, and were pressed, by chat. */
  #used = new Map();
  /** The latest message that asked for an answer, by chat. */
  #answered = new Map();

  /** @param composer Says and sends. @param openApp Opens a Mini App at an address. */
  constructor(composer, openApp) {
    this.#composer = composer;
    this.#openApp = openApp;
  }

  draw() {
    const { keyboard, lastMessage } = summary() ?? {};
    const shown = keyboard?.kind === "keyboard" && this.#used.get(state.chatKey) !== key(keyboard);
    const rows = shown ? keyboard.markup.keyboard : [];
    pick("keyboard").hidden = rows.length === 0;
    pick("keyboard").replaceChildren(...rows.map((row) => this.#row(row, keyboard)));
    pick("text").placeholder = keyboard?.markup?.input_field_placeholder ?? "Message";
    if (keyboard?.kind === "force-reply") this.#answerTo(lastMessage);
  }

  /** The bot asks for an answer to its message, so one is begun, once. */
  #answerTo(message) {
    const own = message?.from?.id === currentBot()?.id;
    if (!own || this.#answered.get(state.chatKey) === message.message_id) return;
    this.#answered.set(state.chatKey, message.message_id);
    this.#composer.reply(message);
  }

  #row(row, keyboard) {
    const line = element("div", "row");
    for (const given of row) {
      const button = typeof given === "string" ? { text: given } : given;
      const view = element("button", "", button.text);
      view.type = "button";
      view.addEventListener("click", () =>
        attempt(async () => {
          if ((await this.#press(button)) === false) return;
          if (keyboard.markup.one_time_keyboard) this.#used.set(state.chatKey, key(keyboard));
          this.draw();
        }),
      );
      line.append(view);
    }
    return line;
  }

  /** @returns false when the person has cancelled. */
  #press(button) {
    if (button.web_app) return this.#openApp(button.web_app.url);
    if (button.request_location) return this.#composer.sendLocation();
    if (button.request_contact) return this.#composer.sendContact();
    if (button.request_poll) return this.#composer.sendPoll(button.request_poll.type);
    if (button.request_users) return shareUser(button.text, button.request_users);
    if (button.request_chat) return shareChat(button.text, button.request_chat);
    return this.#composer.say(button.text);
  }
}

function key(keyboard) {
  return JSON.stringify(keyboard.markup);
}

async function shareUser(title, { request_id: requestId }) {
  const options = [...state.users.values()]
    .filter(({ is_bot }) => !is_bot)
    .map((user) => [String(user.id), user.first_name]);
  const given = await ask({ title, action: "Share", fields: { who: { label: "Who", options } } });
  if (!given) return false;
  const attachment = { kind: "users", requestId, userIds: [Number(given.who)] };
  return operate("attach", { ...place(), attachment });
}

async function shareChat(title, { chat_is_channel: channel, request_id: requestId }) {
  const chats = await operate("chats");
  const options = chats
    .filter(({ chat }) => chat.id < 0 && (chat.type === "channel") === Boolean(channel))
    .map(({ chat }) => [String(chat.id), chat.title]);
  if (options.length === 0) throw new Error(`there is no ${channel ? "channel" : "group"}`);
  const given = await ask({ title, action: "Share", fields: { chat: { label: "Chat", options } } });
  if (!given) return false;
  const attachment = { kind: "chat", requestId, sharedChatId: Number(given.chat) };
  return operate("attach", { ...place(), attachment });
}
