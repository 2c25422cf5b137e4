/** Message deeds: what a person does with a message: vote, react, tick, press its buttons, open its menu. */
import { ask } from "./dialogs.js";
import { openMenu } from "./message-menu.js";
import { attempt } from "./notices.js";
import { chatPlace, currentBot, isOwnChat, operate, pick, speaker, state } from "./state.js";

const busyMs = 15_000;

export class MessageDeeds {
  #composer;
  #offers;
  #openApp;
  #openChat;

  /** @param openApp Opens a Mini App at an address. @param openChat Shows the chat of a summary. */
  constructor({ composer, offers, openApp, openChat }) {
    this.#composer = composer;
    this.#offers = offers;
    this.#openApp = openApp;
    this.#openChat = openChat;
  }

  openMenu(message, at) {
    const text = message.text ?? message.caption;
    const mine = isMine(message);
    const items = [["Reply", "reply", () => this.#composer.reply(message)]];
    const editable = mine && text !== undefined && !message.via_bot;
    if (editable) items.push(["Edit", "edit", () => this.#composer.edit(message)]);
    const copy = () => attempt(() => navigator.clipboard.writeText(text));
    if (text) items.push(["Copy text", "copy", copy]);
    if (mine || isOwnChat()) {
      const erase = () => operate("erase", { userId: speaker(), ...target(message) });
      items.push(["Delete", "delete", () => attempt(erase)]);
    }
    openMenu(pick("menu"), at, items, (emoji) => attempt(() => this.react(message, emoji)));
  }

  /** The speaker's own vote in a poll. */
  votes({ poll }) {
    return state.votes.get(`${poll?.id}:${speaker()}`) ?? [];
  }

  async vote(message, optionIds) {
    const key = `${message.poll.id}:${speaker()}`;
    const before = state.votes.get(key) ?? [];
    // The change that comes back draws the poll, so the vote must be known by then.
    state.votes.set(key, optionIds);
    try {
      await operate("vote", { userId: speaker(), ...target(message), optionIds });
    } catch (error) {
      state.votes.set(key, before);
      throw error;
    }
  }

  /** The same emoji again takes it away. */
  async react(message, emoji) {
    const key = `${state.chatKey}:${message.message_id}:${speaker()}`;
    const reactions = state.own.get(key) === emoji ? [] : [emoji];
    await operate("react", { userId: speaker(), ...target(message), reactions });
    state.own.set(key, reactions[0]);
  }

  tick(message, taskId, done) {
    const marked = done ? { done: [taskId] } : { undone: [taskId] };
    return operate("mark-tasks", { userId: speaker(), ...target(message), ...marked });
  }

  async addTask(message) {
    const fields = { text: { label: "Task", maxLength: 100 } };
    const given = await ask({ title: message.checklist.title, action: "Add", fields });
    if (!given) return;
    await operate("add-tasks", { userId: speaker(), ...target(message), texts: [given.text] });
  }

  async press(message, button, row, column, key) {
    if (button.web_app) return this.#openApp(button.web_app.url);
    if (button.pay) return this.#offers.pay(message);
    if (button.copy_text) return navigator.clipboard.writeText(button.copy_text.text);
    if (button.url) return this.openAddress(button.url);
    if (button.login_url) return this.#logIn(button.login_url.url);
    if (switches.some((name) => button[name] !== undefined)) return this.#switchInline(button);
    key.setAttribute("aria-busy", "true");
    setTimeout(() => key.removeAttribute("aria-busy"), busyMs);
    await operate("press", { userId: speaker(), ...target(message), row, column });
    state.pressed.set(state.chatKey, key);
  }

  openAddress(address) {
    if (this.#offers.follow(address)) return;
    const url = new URL(address);
    if (/^(?:https?|tg):$/.test(url.protocol)) window.open(url.href, "_blank", "noopener");
  }

  async #logIn(address) {
    const text = `You are logged in at ${new URL(address).hostname} by your account.`;
    if (!(await ask({ title: "Log in", text, action: "Open" }))) return;
    const { url } = await operate("login", { userId: speaker(), url: address });
    window.open(url, "_blank", "noopener");
  }

  /** Begins an inline query: here, or in a chat that the person chooses. */
  async #switchInline(button) {
    const here = button.switch_inline_query_current_chat;
    const query =
      here ?? button.switch_inline_query ?? button.switch_inline_query_chosen_chat.query ?? "";
    if (here === undefined) {
      const options = state.chats.map(({ chat }, index) => [index, chat.first_name ?? chat.title]);
      const fields = { chat: { label: "Chat", options } };
      const given = await ask({ title: button.text, action: "Choose", fields });
      if (!given) return;
      await this.#openChat(state.chats[Number(given.chat)]);
    }
    this.#composer.set(`@${currentBot().username} ${query}`);
    pick("text").focus();
  }
}

const switches = [
  "switch_inline_query",
  "switch_inline_query_current_chat",
  "switch_inline_query_chosen_chat",
];

function target(message) {
  return { ...chatPlace(), messageId: message.message_id };
}

export function isMine({ from }) {
  if (isOwnChat()) return !state.bots.some(({ id }) => id === from?.id);
  return from?.id === state.speakerId;
}
