/** Page: a messenger for the sandbox. All its content comes from the control API. */
import { drawPinned, drawTopics, inTopic } from "./chat-places.js";
import { Composer } from "./composer.js";
import { element } from "./element.js";
import { InlineMode } from "./inline-mode.js";
import { Lab } from "./lab.js";
import { listenToMenu, openMenu } from "./message-menu.js";
import { clockText, messageView, preview } from "./message-view.js";
import { Offers } from "./offers.js";
import { reactionsView } from "./reactions-view.js";
import { arrange } from "./timeline.js";

const pick = (id) => document.getElementById(id);
const pauseMs = 1_500;
const toastMs = 4_000;
const actionMs = 5_000;
const foundMs = 1_200;
/** This near to its end, a conversation follows its latest message. */
const nearPx = 80;

const state = {
  /** The bot whose chats are shown. */
  botId: undefined,
  chats: [],
  users: new Map(),
  /** The chat on the screen. */
  chatId: undefined,
  /** The user who speaks in a group. */
  speakerId: undefined,
  unread: new Map(),
  pressed: new Map(),
  /** The topic on the screen; undefined shows all of them. */
  topic: undefined,
  /** What stands under the messages of the chat on the screen. */
  reactions: new Map(),
  /** The speaker's own votes and reactions, which the bot's messages do not tell. */
  votes: new Map(),
  own: new Map(),
  sequence: 0,
};

async function operate(name, request = {}) {
  const bot = state.botId === undefined ? {} : { botId: state.botId };
  const response = await fetch(`/sandbox/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...bot, ...request }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ?? response.statusText);
  return body;
}

/** Runs a person's action, and shows its error. */
function attempt(work) {
  work().catch((error) => showToast(error.message));
}

function summary() {
  return state.chats.find(({ chat }) => chat.id === state.chatId);
}

function speaker() {
  return state.chatId > 0 ? state.chatId : state.speakerId;
}

/** Who writes where. */
function place() {
  const topic = state.topic === undefined ? {} : { threadId: state.topic };
  return { userId: speaker(), chatId: state.chatId, ...topic };
}

const composer = new Composer(operate, attempt, place, () => [...state.users.values()]);
const offers = new Offers(operate, attempt, place, showToast);
const say = (text) => composer.say(text);

async function refreshChats() {
  const [users, chats] = await Promise.all([operate("users"), operate("chats")]);
  state.users = new Map(users.map((user) => [user.id, user]));
  state.chats = chats.filter(({ chat }) => chat.type !== "channel");
  drawChats();
  drawTitle();
  drawPlaces();
  drawKeyboard();
}

function drawPlaces() {
  const { draft = null, pinned = null, topics = [] } = summary() ?? {};
  drawPinned(pick("pinned"), pinned, show);
  drawTopics(pick("topics"), topics, state.topic, (id) => {
    state.topic = id;
    attempt(() => showMessages());
  });
  showDraft(draft);
}

/** Goes to a message, if it is on the screen. */
function show(messageId) {
  const view = viewWith(messageId);
  view?.scrollIntoView({ block: "center", behavior: "smooth" });
  view?.classList.add("found");
  setTimeout(() => view?.classList.remove("found"), foundMs);
}

function viewWith(messageId) {
  return pick("messages").querySelector(`[data-message-id="${messageId}"]`);
}

function showDraft(text) {
  pick("draft").hidden = !text;
  pick("draft").textContent = text ?? "";
}

function drawChats() {
  const focused = document.activeElement?.dataset?.chatId;
  const items = state.chats.map(({ chat, lastMessage }) => chatButton(chat, lastMessage));
  pick("chats").replaceChildren(...items);
  if (focused) items.find((item) => item.dataset.chatId === focused)?.focus();
}

function chatButton(chat, lastMessage) {
  const button = element("button", "chat");
  button.type = "button";
  button.dataset.chatId = String(chat.id);
  button.setAttribute("aria-current", String(chat.id === state.chatId));
  button.addEventListener("click", () => attempt(() => open(chat.id)));
  const lines = element("span", "lines");
  const first = element("span", "line");
  first.append(element("strong", "", chat.first_name ?? chat.title));
  const language = state.users.get(chat.id)?.language_code;
  if (language) first.append(element("span", "language", language));
  if (lastMessage) first.append(element("time", "when", clockText(lastMessage.date)));
  const second = element("span", "line");
  second.append(element("span", "preview", preview(lastMessage) || "nothing yet"));
  const unread = state.unread.get(chat.id);
  if (unread) second.append(element("span", "unread", String(unread)));
  lines.append(first, second);
  button.append(avatar(chat), lines);
  return button;
}

function avatar(chat) {
  const name = chat.first_name ?? chat.title ?? "?";
  const made = element("span", `avatar hue-${Math.abs(chat.id) % 5}`, [...name][0]);
  made.setAttribute("aria-hidden", "true");
  return made;
}

async function open(chatId) {
  state.chatId = chatId;
  state.unread.delete(chatId);
  document.body.classList.add("talking");
  pick("no-chat").hidden = true;
  pick("conversation").hidden = false;
  state.speakerId = summary()?.memberIds[0];
  state.topic = undefined;
  composer.enter(chatId);
  drawChats();
  drawTitle();
  drawKeyboard();
  await showMessages();
  // On a phone the focus would bring up its keyboard.
  if (!matchMedia("(max-width: 700px)").matches) pick("text").focus();
}

async function showMessages() {
  const { chatId } = state;
  drawPlaces();
  const [messages, reactions] = await Promise.all([
    operate("messages", { chatId, limit: 200 }),
    operate("reactions", { chatId }),
  ]);
  if (state.chatId !== chatId) return;
  state.reactions = new Map(reactions.map((one) => [one.messageId, one.reactions]));
  const shown = messages.filter((message) => inTopic(message, state.topic));
  pick("messages").replaceChildren(...shown.map(viewOf));
  arrange(pick("messages"));
  scrollToEnd();
}

function drawTitle() {
  const shown = summary();
  if (!shown) return;
  const { chat, access, memberIds } = shown;
  pick("name").textContent = chat.first_name ?? chat.title;
  pick("avatar").replaceWith(Object.assign(avatar(chat), { id: "avatar" }));
  const notes = { blocked: "has blocked the bot", kicked: "the bot was kicked" };
  const members = chat.id > 0 ? "talks to the bot" : `${memberIds.length} members`;
  pick("note").textContent = notes[access] ?? `${members} · ${chat.id}`;
  pick("messages").classList.toggle("many", chat.id < 0);
  const closed = access === "blocked" || access === "kicked";
  pick("block").textContent = closed ? "Let the bot in" : chat.id > 0 ? "Block bot" : "Kick bot";
  pick("start").hidden = shown.messages > 0 || chat.id < 0;
  pick("speaker-label").hidden = chat.id > 0;
  const options = memberIds.map((id) => new Option(state.users.get(id)?.first_name ?? id, id));
  pick("speaker").replaceChildren(...options);
  if (state.speakerId) pick("speaker").value = state.speakerId;
}

function drawKeyboard() {
  const keyboard = summary()?.keyboard;
  const rows = keyboard?.kind === "keyboard" ? keyboard.markup.keyboard : [];
  pick("keyboard").hidden = rows.length === 0;
  const lines = rows.map((row) => {
    const line = element("div", "row");
    for (const key of row) {
      const text = typeof key === "string" ? key : key.text;
      const button = element("button", "", text);
      button.type = "button";
      button.addEventListener("click", () => attempt(() => pressKey(key, text)));
      line.append(button);
    }
    return line;
  });
  pick("keyboard").replaceChildren(...lines);
  pick("text").placeholder = keyboard?.markup?.input_field_placeholder ?? "Message";
}

function pressKey(key, text) {
  if (key.web_app) return openApp(key.web_app.url);
  if (key.request_location) return composer.sendLocation();
  return key.request_contact ? composer.sendContact() : say(text);
}

function isMine(message) {
  const botIds = state.botIds ?? [];
  const { from } = message;
  return state.chatId > 0 ? !botIds.includes(from?.id) : from?.id === state.speakerId;
}

function viewOf(message) {
  const view = messageView(message, isMine(message), {
    command: (text) => attempt(() => say(text)),
    press: (button, row, column, key) => attempt(() => press(message, button, row, column, key)),
    reactions: state.reactions.get(message.message_id) ?? [],
    react: (emoji) => attempt(() => react(message, emoji)),
    votes: state.votes.get(`${message.poll?.id}:${speaker()}`) ?? [],
    vote: (optionIds) => attempt(() => vote(message, optionIds)),
    follow: (url) => offers.follow(url),
    show,
    menu: (opener) => {
      const { left, bottom } = opener.getBoundingClientRect();
      openMessageMenu(message, { x: left, y: bottom });
    },
    bought: message.paid_media !== undefined && offers.bought(message),
    buy: () => attempt(() => offers.buy(message, () => replaceView(message))),
    fileAddress: (id) => `/sandbox/file?${new URLSearchParams({ id, botId: state.botId })}`,
  });
  if (!view.classList.contains("message")) return view;
  if (!isMine(message)) view.prepend(avatar(message.from ?? message.chat));
  view.addEventListener("contextmenu", (event) => {
    if (String(getSelection()) !== "") return;
    event.preventDefault();
    openMessageMenu(message, event);
  });
  view.addEventListener("dblclick", () => composer.reply(message));
  return view;
}

function replaceView(message) {
  viewWith(message.message_id)?.replaceWith(viewOf(message));
  arrange(pick("messages"));
}

function openMessageMenu(message, at) {
  const text = message.text ?? message.caption;
  const target = { userId: speaker(), chatId: state.chatId, messageId: message.message_id };
  const mine = isMine(message);
  const items = [["Reply", "reply", () => composer.reply(message)]];
  if (mine && text !== undefined) items.push(["Edit", "edit", () => composer.edit(message)]);
  const copy = () => attempt(() => navigator.clipboard.writeText(text));
  if (text) items.push(["Copy text", "copy", copy]);
  if (mine || state.chatId > 0) {
    items.push(["Delete", "delete", () => attempt(() => operate("erase", target))]);
  }
  openMenu(pick("menu"), at, items, (emoji) => attempt(() => react(message, emoji)));
}

async function vote(message, optionIds) {
  const key = `${message.poll.id}:${speaker()}`;
  const before = state.votes.get(key) ?? [];
  // The change that comes back draws the poll, so the vote must be known by then.
  state.votes.set(key, optionIds);
  const target = { chatId: state.chatId, messageId: message.message_id };
  try {
    await operate("vote", { userId: speaker(), ...target, optionIds });
  } catch (error) {
    state.votes.set(key, before);
    throw error;
  }
}

/** The same emoji again takes it away. */
async function react(message, emoji) {
  const key = `${state.chatId}:${message.message_id}:${speaker()}`;
  const reactions = state.own.get(key) === emoji ? [] : [emoji];
  const target = { chatId: state.chatId, messageId: message.message_id };
  await operate("react", { userId: speaker(), ...target, reactions });
  state.own.set(key, reactions[0]);
}

async function press(message, button, row, column, key) {
  if (button.web_app) return openApp(button.web_app.url);
  if (button.pay) return offers.pay(message);
  if (button.copy_text) return navigator.clipboard.writeText(button.copy_text.text);
  if (button.url) {
    const url = new URL(button.url);
    if (/^(?:https?|tg):$/.test(url.protocol)) window.open(url.href, "_blank", "noopener");
    return undefined;
  }
  key.setAttribute("aria-busy", "true");
  setTimeout(() => key.removeAttribute("aria-busy"), 15_000);
  const target = { chatId: state.chatId, messageId: message.message_id, row, column };
  await operate("press", { userId: speaker(), ...target });
  state.pressed.set(state.chatId, key);
}

async function openApp(url) {
  const launch = await operate("web-app", { userId: speaker(), url });
  pick("frame").src = launch.url;
  pick("app").showModal();
}

function scrollToEnd() {
  const list = pick("messages");
  list.scrollTop = list.scrollHeight;
  pick("jump").hidden = true;
}

let toastTimer;
function showToast(text) {
  pick("toast").textContent = text;
  pick("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    pick("toast").hidden = true;
  }, toastMs);
}

let actionTimer;
function showAction(text) {
  pick("action").textContent = text === "typing" ? "typing…" : text.replaceAll("_", " ");
  clearTimeout(actionTimer);
  actionTimer = setTimeout(() => {
    pick("action").textContent = "";
  }, actionMs);
}

function isAtEnd() {
  const list = pick("messages");
  return list.scrollHeight - list.scrollTop - list.clientHeight < nearPx;
}

function showMessage(change) {
  if (change.chatId !== state.chatId) {
    const unread = state.unread.get(change.chatId) ?? 0;
    if (change.kind === "message") state.unread.set(change.chatId, unread + 1);
    return;
  }
  const list = pick("messages");
  const follows = isAtEnd();
  const old = viewWith(change.message.message_id);
  if (old) old.replaceWith(viewOf(change.message));
  else if (change.kind === "message" && inTopic(change.message, state.topic)) {
    list.append(viewOf(change.message));
  }
  arrange(list);
  if (change.kind === "message") pick("action").textContent = "";
  if (follows || (change.kind === "message" && isMine(change.message))) scrollToEnd();
}

function answerPress(change) {
  state.pressed.get(change.chatId)?.removeAttribute("aria-busy");
  if (change.chatId !== state.chatId) return;
  if (change.url) window.open(change.url, "_blank", "noopener");
  if (!change.text) return;
  if (!change.showAlert) return showToast(change.text);
  pick("alert-text").textContent = change.text;
  pick("alert").showModal();
}

function apply(change) {
  state.sequence = change.sequence;
  if (change.botId !== state.botId) return;
  if (change.kind === "message" || change.kind === "edited") showMessage(change);
  else if (change.kind === "callback-answer") answerPress(change);
  else if (change.chatId !== state.chatId) return;
  else if (change.kind === "draft") showDraft(change.text || "…");
  else if (change.kind === "reaction") showReactions(change);
  else if (change.kind === "action" && change.text) showAction(change.text);
  else if (change.kind === "deleted") {
    viewWith(change.messageId)?.remove();
    arrange(pick("messages"));
  }
}

function showReactions({ messageId, reactions }) {
  state.reactions.set(messageId, reactions);
  const old = viewWith(messageId)?.querySelector(".reactions");
  const pressed = (emoji) => attempt(() => react({ message_id: messageId }, emoji));
  old?.replaceWith(reactionsView(reactions, pressed));
}

async function follow() {
  while (true) {
    try {
      const changes = await operate("changes", { after: state.sequence, waitMs: 25_000 });
      pick("connection").textContent = "live";
      for (const change of changes) apply(change);
      if (changes.length > 0) await refreshChats();
    } catch {
      pick("connection").textContent = "the sandbox does not answer; trying again…";
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await begin().catch(() => {});
    }
  }
}

/** Shows no chat. */
function leave() {
  document.body.classList.remove("talking");
  pick("conversation").hidden = true;
  pick("no-chat").hidden = false;
  state.chatId = undefined;
  drawChats();
}

function drawBots(bots) {
  state.botIds = bots.map(({ id }) => id);
  if (!state.botIds.includes(state.botId)) state.botId = state.botIds[0];
  pick("bot").hidden = bots.length < 2;
  const options = bots.map(
    ({ id, test, username }) => new Option(test ? `${username} (test)` : username, id),
  );
  pick("bot").replaceChildren(...options);
  pick("bot").value = state.botId;
}

/** Starts from the latest change, because a restarted sandbox counts its changes from 1 again. */
async function begin() {
  drawBots((await operate("describe")).bots);
  state.sequence = (await operate("changes", { after: -1 }))[0]?.sequence ?? 0;
  await refreshChats();
  if (summary()) await open(state.chatId);
  pick("connection").textContent = "live";
}

const inline = new InlineMode(pick("inline"), operate);
pick("text").addEventListener("input", () => {
  const who = { botIds: state.botIds ?? [], userId: speaker(), chatId: state.chatId };
  inline.typed(pick("text").value, who, () => composer.set(""));
});
pick("start").addEventListener("click", () => attempt(() => say("/start")));
pick("back").addEventListener("click", leave);
pick("block").addEventListener("click", () => {
  const access = summary()?.access;
  const closed = access === "blocked" || access === "kicked";
  const wanted = closed ? "open" : state.chatId > 0 ? "blocked" : "kicked";
  attempt(() => operate("set-access", { chatId: state.chatId, access: wanted }));
});
pick("speaker").addEventListener("change", (event) => {
  state.speakerId = Number(event.target.value);
  attempt(() => showMessages());
});
pick("app").addEventListener("close", () => {
  pick("frame").src = "about:blank";
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("talking"))
    pick("chats").querySelector('[aria-current="true"]')?.focus();
});

pick("bot").addEventListener("change", (event) => {
  state.botId = Number(event.target.value);
  state.unread.clear();
  leave();
  attempt(refreshChats);
});
let following = true;
pick("messages").addEventListener("scroll", () => {
  following = isAtEnd();
  pick("jump").hidden = following;
});
// The latest message stays in sight when a picture is there at last, or the line below grows.
const stayAtEnd = () => {
  if (following) scrollToEnd();
};
new ResizeObserver(stayAtEnd).observe(pick("messages"));
pick("messages").addEventListener("load", stayAtEnd, { capture: true });
pick("jump").addEventListener("click", scrollToEnd);
listenToMenu(pick("menu"));
listenToMenu(pick("attach-menu"));

new Lab(operate, attempt);
await begin().catch(() => {});
await follow();
