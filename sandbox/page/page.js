/** Page: a messenger for the sandbox. All its content comes from the control API. */
import { AboutBot } from "./about-bot.js";
import { avatar, badge, drawChats as drawChatList } from "./chat-list.js";
import { drawPinned, drawTopics, inTopic } from "./chat-places.js";
import { Composer } from "./composer.js";
import { InlineMode } from "./inline-mode.js";
import { Lab } from "./lab.js";
import { isMine, MessageDeeds } from "./message-deeds.js";
import { listenToMenu } from "./message-menu.js";
import { messageView } from "./message-view.js";
import { attempt, showAction, showAlert, showToast } from "./notices.js";
import { Offers } from "./offers.js";
import { reactionsView } from "./reactions-view.js";
import { ReplyKeyboard } from "./reply-keyboard.js";
import {
  chatPlace,
  isOwnChat,
  keyOf,
  keyOfSummary,
  operate,
  pick,
  place,
  speaker,
  state,
  summary,
} from "./state.js";
import { arrange } from "./timeline.js";

const pauseMs = 1_500;
const foundMs = 1_200;
/** This near to its end, a conversation follows its latest message. */
const nearPx = 80;

const composer = new Composer(operate, attempt, place, () => [...state.users.values()]);
const offers = new Offers(operate, attempt, place, showToast, startBot);
const say = (text) => composer.say(text);
const deeds = new MessageDeeds({ composer, offers, openApp, openChat: open });
const keyboard = new ReplyKeyboard(composer, openApp);
const aboutBot = new AboutBot(say, openApp);
const drawChats = () => drawChatList((chosen) => attempt(() => open(chosen)));

async function refreshChats() {
  const [users, chats] = await Promise.all([operate("users"), operate("chats")]);
  state.users = new Map(users.map((user) => [user.id, user]));
  state.chats = chats.filter(({ chat }) => chat.type !== "channel");
  drawChats();
  drawTitle();
  drawPlaces();
  drawTicks();
  if (summary()) keyboard.draw();
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

/** @param chosen The summary of the chat. */
async function open(chosen) {
  state.chatKey = keyOfSummary(chosen);
  state.chatId = chosen.chat.id;
  state.connectionId = chosen.business?.connectionId;
  state.unread.delete(state.chatKey);
  document.body.classList.add("talking");
  pick("no-chat").hidden = true;
  pick("conversation").hidden = false;
  state.speakerId = chosen.memberIds[0];
  state.topic = undefined;
  composer.enter(state.chatKey);
  drawChats();
  drawTitle();
  keyboard.draw();
  await aboutBot.load();
  await showMessages();
  // On a phone the focus would bring up its keyboard.
  if (!matchMedia("(max-width: 700px)").matches) pick("text").focus();
}

/** Opens the person's own chat with the bot, and starts it with a parameter. */
async function startBot(bot, parameter) {
  const userId = speaker();
  if (bot.id !== state.botId) await chooseBot(bot.id);
  await operate("write", { userId, text: `/start ${parameter}`.trim() });
  await refreshChats();
  const own = state.chats.find((one) => keyOfSummary(one) === keyOf(userId));
  if (own && state.chatKey !== keyOf(userId)) await open(own);
}

/** What changed in the conversation since its messages were asked for: the answer may lack it. */
let changedSince;

async function showMessages() {
  const changed = [];
  changedSince = changed;
  drawPlaces();
  const [messages, reactions] = await Promise.all([
    operate("messages", { ...chatPlace(), limit: 200 }),
    operate("reactions", chatPlace()),
  ]);
  if (changedSince !== changed) return;
  changedSince = undefined;
  state.reactions = new Map(reactions.map((one) => [one.messageId, one.reactions]));
  const shown = messages.filter((message) => inTopic(message, state.topic));
  const introduction = isOwnChat() && shown.length === 0 ? aboutBot.introduction() : [];
  pick("messages").replaceChildren(...introduction, ...shown.map(viewOf));
  arrange(pick("messages"));
  for (const change of changed) changeConversation(change);
  drawTicks();
  scrollToEnd();
}

function drawTitle() {
  const shown = summary();
  if (!shown) return;
  const { access, business, chat, memberIds, verification } = shown;
  pick("name").textContent = chat.first_name ?? chat.title;
  if (verification !== null) pick("name").append(badge(verification));
  pick("avatar").replaceWith(Object.assign(avatar(chat), { id: "avatar" }));
  pick("note").textContent = noteOf(shown);
  pick("messages").classList.toggle("many", !isOwnChat());
  const closed = access === "blocked" || access === "kicked";
  pick("block").hidden = business !== undefined;
  pick("block").textContent = closed ? "Let the bot in" : chat.id > 0 ? "Block bot" : "Kick bot";
  pick("start").hidden = shown.messages > 0 || !isOwnChat();
  pick("speaker-label").hidden = isOwnChat();
  const options = memberIds.map((id) => new Option(state.users.get(id)?.first_name ?? id, id));
  pick("speaker").replaceChildren(...options);
  if (state.speakerId) pick("speaker").value = state.speakerId;
}

function noteOf({ access, business, chat, memberIds }) {
  const notes = { blocked: "has blocked the bot", kicked: "the bot was kicked" };
  const owner = state.users.get(business?.ownerId)?.first_name;
  if (business) return `customer of ${owner}, for whom the bot answers`;
  const members = chat.id > 0 ? "talks to the bot" : `${memberIds.length} members`;
  return notes[access] ?? `${members} · ${chat.id}`;
}

function viewOf(message) {
  const view = messageView(message, isMine(message), callbacksOf(message));
  if (!view.classList.contains("message")) return view;
  if (!isMine(message)) view.prepend(avatar(message.from ?? message.chat));
  view.addEventListener("contextmenu", (event) => {
    if (String(getSelection()) !== "") return;
    event.preventDefault();
    deeds.openMenu(message, event);
  });
  view.addEventListener("dblclick", () => composer.reply(message));
  return view;
}

function callbacksOf(message) {
  const tried = (work) => attempt(async () => work());
  return {
    command: (text) => tried(() => say(text)),
    press: (...button) => tried(() => deeds.press(message, ...button)),
    reactions: state.reactions.get(message.message_id) ?? [],
    react: (emoji) => tried(() => deeds.react(message, emoji)),
    votes: deeds.votes(message),
    vote: (optionIds) => tried(() => deeds.vote(message, optionIds)),
    tick: (taskId, done) => tried(() => deeds.tick(message, taskId, done)),
    addTask: () => tried(() => deeds.addTask(message)),
    follow: (url) => offers.follow(url),
    show,
    menu: (opener) => {
      const { left, bottom } = opener.getBoundingClientRect();
      deeds.openMenu(message, { x: left, y: bottom });
    },
    bought: message.paid_media !== undefined && offers.bought(message),
    buy: () => tried(() => offers.buy(message, () => replaceView(message))),
    fileAddress: (id) => `/sandbox/file?${new URLSearchParams({ id, botId: state.botId })}`,
  };
}

/** A bot reads all at once; for the owner of a business it reads what it marks as read. */
function drawTicks() {
  const { business, chat } = summary() ?? {};
  if (!business || state.speakerId !== chat.id) return;
  for (const ticks of pick("messages").querySelectorAll(".ticks")) {
    const id = Number(ticks.closest("[data-message-id]").dataset.messageId);
    ticks.textContent = id <= business.readMessageId ? "✓✓" : "✓";
  }
}

function replaceView(message) {
  viewWith(message.message_id)?.replaceWith(viewOf(message));
  arrange(pick("messages"));
}

async function openApp(url) {
  const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const launch = await operate("web-app", { userId: speaker(), url, theme });
  pick("frame").src = launch.url;
  pick("app").showModal();
}

function scrollToEnd() {
  const list = pick("messages");
  list.scrollTop = list.scrollHeight;
  pick("jump").hidden = true;
}

function isAtEnd() {
  const list = pick("messages");
  return list.scrollHeight - list.scrollTop - list.clientHeight < nearPx;
}

function showMessage(change) {
  const list = pick("messages");
  const follows = isAtEnd();
  const old = viewWith(change.message.message_id);
  if (old) old.replaceWith(viewOf(change.message));
  else if (change.kind === "message" && inTopic(change.message, state.topic)) {
    list.querySelector(".introduction")?.remove();
    list.append(viewOf(change.message));
  }
  arrange(list);
  if (change.kind === "message") showAction("");
  if (follows || (change.kind === "message" && isMine(change.message))) scrollToEnd();
}

function answerPress(change) {
  const key = keyOf(change.chatId, change.connectionId);
  state.pressed.get(key)?.removeAttribute("aria-busy");
  if (key !== state.chatKey) return;
  if (change.url) deeds.openAddress(change.url);
  if (!change.text) return;
  if (change.showAlert) showAlert(change.text);
  else showToast(change.text);
}

function apply(change) {
  state.sequence = change.sequence;
  if (change.botId !== state.botId) return;
  const key = keyOf(change.chatId, change.connectionId);
  if (change.kind === "callback-answer") answerPress(change);
  else if (change.kind === "chat" && change.chatId === state.botId) attempt(() => aboutBot.load());
  else if (key !== state.chatKey) {
    if (change.kind === "message") state.unread.set(key, (state.unread.get(key) ?? 0) + 1);
  } else if (change.kind === "draft") showDraft(change.text || "…");
  else if (change.kind === "action" && change.text) showAction(change.text);
  else {
    changedSince?.push(change);
    changeConversation(change);
  }
}

function changeConversation(change) {
  if (change.kind === "message" || change.kind === "edited") showMessage(change);
  else if (change.kind === "reaction") showReactions(change);
  else if (change.kind === "deleted") {
    viewWith(change.messageId)?.remove();
    arrange(pick("messages"));
  }
}

function showReactions({ messageId, reactions }) {
  state.reactions.set(messageId, reactions);
  const old = viewWith(messageId)?.querySelector(".reactions");
  const pressed = (emoji) => attempt(() => deeds.react({ message_id: messageId }, emoji));
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
  state.chatKey = undefined;
  state.chatId = undefined;
  changedSince = undefined;
  drawChats();
}

function drawBots(bots) {
  state.bots = bots;
  if (!bots.some(({ id }) => id === state.botId)) state.botId = bots[0].id;
  pick("bot").hidden = bots.length < 2;
  const options = bots.map(
    ({ id, test, username }) => new Option(test ? `${username} (test)` : username, id),
  );
  pick("bot").replaceChildren(...options);
  pick("bot").value = state.botId;
}

async function chooseBot(id) {
  state.botId = id;
  pick("bot").value = id;
  state.unread.clear();
  leave();
  await refreshChats();
}

/** Starts from the latest change, because a restarted sandbox counts its changes from 1 again. */
async function begin() {
  drawBots((await operate("describe")).bots);
  state.sequence = (await operate("changes", { after: -1 }))[0]?.sequence ?? 0;
  await refreshChats();
  const shown = summary();
  if (shown) await open(shown);
  pick("connection").textContent = "live";
}

const inline = new InlineMode(pick("inline"), operate, (botId, button) =>
  attempt(async () => {
    const bot = state.bots.find(({ id }) => id === botId);
    if (button.web_app) await openApp(button.web_app.url);
    else await startBot(bot, button.start_parameter);
    composer.set("");
  }),
);
pick("text").addEventListener("input", () => {
  const botIds = state.bots.map(({ id }) => id);
  const who = { botIds, userId: speaker(), chatId: state.chatId };
  inline.typed(pick("text").value, who, () => composer.set(""));
  aboutBot.typed(pick("text").value);
});
pick("start").addEventListener("click", () => attempt(() => say("/start")));
pick("back").addEventListener("click", leave);
pick("block").addEventListener("click", () => {
  const access = summary()?.access;
  const closed = access === "blocked" || access === "kicked";
  const { chatId } = state;
  if (closed && chatId < 0) return attempt(() => operate("add-bot", { chatId, userId: speaker() }));
  const wanted = closed ? "open" : chatId > 0 ? "blocked" : "kicked";
  return attempt(() => operate("set-access", { chatId, access: wanted }));
});
pick("speaker").addEventListener("change", (event) => {
  state.speakerId = Number(event.target.value);
  attempt(() => showMessages());
});
/** What a Mini App says to the client around it. Source: core.telegram.org/api/web-events. */
window.addEventListener("message", ({ data, source }) => {
  if (source !== pick("frame").contentWindow || typeof data !== "string") return;
  if (/"eventType":"web_app_close"/.test(data)) pick("app").close();
});
pick("app").addEventListener("close", () => {
  pick("frame").src = "about:blank";
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("talking"))
    pick("chats").querySelector('[aria-current="true"]')?.focus();
});

pick("bot").addEventListener("change", (event) => {
  attempt(() => chooseBot(Number(event.target.value)));
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
