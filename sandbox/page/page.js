/** Page: a messenger for the sandbox. All its content comes from the control API. */
import { drawPinned, drawTopics, inTopic } from "./chat-places.js";
import { element } from "./element.js";
import { InlineMode } from "./inline-mode.js";
import { Lab } from "./lab.js";
import { messageView, preview } from "./message-view.js";
import { reactionsView } from "./reactions-view.js";

const pick = (id) => document.getElementById(id);
const pauseMs = 1_500;
const toastMs = 4_000;
const actionMs = 5_000;

const state = {
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
  const response = await fetch(`/sandbox/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
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
  drawPinned(pick("pinned"), pinned, (id) =>
    pick("messages")
      .querySelector(`[data-message-id="${id}"]`)
      ?.scrollIntoView({ block: "center" }),
  );
  drawTopics(pick("topics"), topics, state.topic, (id) => {
    state.topic = id;
    attempt(() => showMessages());
  });
  showDraft(draft);
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
  const name = element("strong", "", chat.first_name ?? chat.title);
  const language = state.users.get(chat.id)?.language_code;
  lines.append(name);
  if (language) lines.append(element("span", "language", language));
  lines.append(element("span", "preview", preview(lastMessage) || "nothing yet"));
  button.append(avatar(chat), lines);
  const unread = state.unread.get(chat.id);
  if (unread) button.append(element("span", "unread", String(unread)));
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
  drawChats();
  drawTitle();
  drawKeyboard();
  await showMessages();
  pick("text").focus();
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
  scrollToEnd();
}

function drawTitle() {
  const shown = summary();
  if (!shown) return;
  const { chat, access, memberIds } = shown;
  pick("name").textContent = chat.first_name ?? chat.title;
  pick("avatar").replaceWith(Object.assign(avatar(chat), { id: "avatar" }));
  const notes = { blocked: "has blocked the bot", kicked: "the bot was kicked" };
  pick("note").textContent = notes[access] ?? `${chat.type} · ${chat.id}`;
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
      button.addEventListener("click", () =>
        attempt(() => (key.web_app ? openApp(key.web_app.url) : say(text))),
      );
      line.append(button);
    }
    return line;
  });
  pick("keyboard").replaceChildren(...lines);
  pick("text").placeholder = keyboard?.markup?.input_field_placeholder ?? "Message";
}

function viewOf(message) {
  const botIds = state.botIds ?? [];
  const mine =
    state.chatId > 0 ? !botIds.includes(message.from?.id) : message.from?.id === state.speakerId;
  const view = messageView(message, mine, {
    command: (text) => attempt(() => say(text)),
    press: (button, row, column, key) => attempt(() => press(message, button, row, column, key)),
    reactions: state.reactions.get(message.message_id) ?? [],
    react: (emoji) => attempt(() => react(message, emoji)),
    votes: state.votes.get(`${message.poll?.id}:${speaker()}`) ?? [],
    vote: (optionIds) => attempt(() => vote(message, optionIds)),
  });
  view.dataset.messageId = String(message.message_id);
  return view;
}

async function say(text) {
  const place = state.topic === undefined ? {} : { threadId: state.topic };
  await operate("write", { userId: speaker(), chatId: state.chatId, ...place, text });
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
  if (button.pay) return pay(message);
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

async function pay(message) {
  const target = { chatId: state.chatId, messageId: message.message_id };
  await operate("pay", { userId: speaker(), ...target });
  showAction("paying");
}

async function openApp(url) {
  const launch = await operate("web-app", { userId: speaker(), url });
  pick("frame").src = launch.url;
  pick("app").showModal();
}

function scrollToEnd() {
  const list = pick("messages");
  list.scrollTop = list.scrollHeight;
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

function showMessage(change) {
  if (change.chatId !== state.chatId) {
    const unread = state.unread.get(change.chatId) ?? 0;
    if (change.kind === "message") state.unread.set(change.chatId, unread + 1);
    return;
  }
  const list = pick("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const old = list.querySelector(`[data-message-id="${change.message.message_id}"]`);
  if (old) old.replaceWith(viewOf(change.message));
  else if (change.kind === "message" && inTopic(change.message, state.topic)) {
    list.append(viewOf(change.message));
  }
  if (change.kind === "message") pick("action").textContent = "";
  if (atEnd) scrollToEnd();
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
  if (change.kind === "message" || change.kind === "edited") showMessage(change);
  else if (change.kind === "callback-answer") answerPress(change);
  else if (change.chatId !== state.chatId) return;
  else if (change.kind === "draft") showDraft(change.text || "…");
  else if (change.kind === "reaction") showReactions(change);
  else if (change.kind === "action" && change.text) showAction(change.text);
  else if (change.kind === "deleted") {
    pick("messages").querySelector(`[data-message-id="${change.messageId}"]`)?.remove();
  }
}

function showReactions({ messageId, reactions }) {
  state.reactions.set(messageId, reactions);
  const old = pick("messages").querySelector(`[data-message-id="${messageId}"] .reactions`);
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

/** Starts from the latest change, because a restarted sandbox counts its changes from 1 again. */
async function begin() {
  state.botIds = (await operate("describe")).botIds;
  state.sequence = (await operate("changes", { after: -1 }))[0]?.sequence ?? 0;
  await refreshChats();
  if (summary()) await open(state.chatId);
  pick("connection").textContent = "live";
}

pick("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = pick("text").value.trim();
  if (text === "") return;
  pick("text").value = "";
  attempt(() => say(text));
});
pick("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  pick("composer").requestSubmit();
});
const inline = new InlineMode(pick("inline"), operate);
pick("text").addEventListener("input", () => {
  const who = { botIds: state.botIds ?? [], userId: speaker(), chatId: state.chatId };
  inline.typed(pick("text").value, who, () => {
    pick("text").value = "";
  });
});
pick("start").addEventListener("click", () => attempt(() => say("/start")));
pick("back").addEventListener("click", () => {
  document.body.classList.remove("talking");
  pick("conversation").hidden = true;
  state.chatId = undefined;
  drawChats();
});
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

new Lab(operate, attempt);
await begin().catch(() => {});
await follow();
