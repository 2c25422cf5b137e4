/** Chat list: the people and groups on the left. */
import { element } from "./element.js";
import { clockText, preview } from "./message-view.js";
import { keyOfSummary, pick, state } from "./state.js";

/** @param open Called with the summary of the chat that is pressed. */
export function drawChats(open) {
  const focused = document.activeElement?.dataset?.chatKey;
  const items = state.chats.map((summary) => chatButton(summary, open));
  pick("chats").replaceChildren(...items);
  if (focused) items.find((item) => item.dataset.chatKey === focused)?.focus();
}

function chatButton(summary, open) {
  const { business, chat, lastMessage, verification } = summary;
  const key = keyOfSummary(summary);
  const button = element("button", "chat");
  button.type = "button";
  button.dataset.chatKey = key;
  button.setAttribute("aria-current", String(key === state.chatKey));
  button.addEventListener("click", () => open(summary));
  const lines = element("span", "lines");
  const first = element("span", "line");
  first.append(element("strong", "", chat.first_name ?? chat.title));
  if (verification !== null) first.append(badge(verification));
  const language = state.users.get(chat.id)?.language_code;
  if (business) first.append(element("span", "language", "business"));
  else if (language) first.append(element("span", "language", language));
  if (lastMessage) first.append(element("time", "when", clockText(lastMessage.date)));
  const second = element("span", "line");
  second.append(element("span", "preview", preview(lastMessage) || "nothing yet"));
  const unread = state.unread.get(key);
  if (unread) second.append(element("span", "unread", String(unread)));
  lines.append(first, second);
  button.append(avatar(chat), lines);
  return button;
}

export function avatar(chat) {
  const name = chat.first_name ?? chat.title ?? "?";
  const made = element("span", `avatar hue-${Math.abs(chat.id) % 5}`, [...name][0]);
  made.setAttribute("aria-hidden", "true");
  return made;
}

/** @param words With which the bot has verified the chat; may be empty. */
export function badge(words) {
  const made = element("span", "badge", "✓");
  made.title = words || "Verified by the bot";
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", made.title);
  return made;
}
