/** Message view: renders a message as elements. All text from a bot goes through textContent. */
import { element } from "./element.js";
import { pollView } from "./poll-view.js";
import { reactionsView } from "./reactions-view.js";

const tags = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
  expandable_blockquote: "blockquote",
};

const mediaNames = {
  photo: "🖼 photo",
  video: "🎬 video",
  animation: "🎞 animation",
  audio: "🎵 audio",
  voice: "🎤 voice",
  video_note: "🎥 video note",
  document: "📄 document",
  sticker: "🙂 sticker",
  location: "📍 location",
  venue: "📍 venue",
  contact: "👤 contact",
  poll: "📊 poll",
  live_photo: "🖼 live photo",
  paid_media: "⭐️ paid media",
  game: "🎮 game",
  checklist: "☑️ checklist",
  story: "🗯 story",
  dice: "🎲 dice",
  invoice: "🧾 invoice",
};

/**
 * @param message Telegram's message object.
 * @param mine Whether the person in front of the page wrote it.
 * @param on Callbacks: `command(text)`, `press(button, element)`, `vote(optionIds)`, `react(emoji)`;
 *   and what the page knows: `votes` and `reactions`.
 */
export function messageView(message, mine, on) {
  const service = serviceText(message);
  if (service) return element("p", "service", service);
  const view = element("article", mine ? "message mine" : "message");
  const bubble = element("div", "bubble");
  if (!mine)
    bubble.append(element("span", "author", message.from?.first_name ?? message.chat.title));
  if (message.reply_to_message) {
    bubble.append(element("div", "quote", preview(message.reply_to_message)));
  }
  const media = mediaText(message);
  if (message.poll) bubble.append(pollView(message.poll, on.votes, on.vote));
  else if (media) bubble.append(element("div", "media", media));
  const text = message.text ?? message.caption ?? richText(message) ?? "";
  const words = element("div", "words");
  words.append(...formatted(text, message.entities ?? message.caption_entities ?? [], on));
  bubble.append(words, element("time", "time", clockText(message)));
  view.append(bubble, reactionsView(on.reactions, on.react), ...keyboardView(message, on));
  return view;
}

/** One line that says what a message is about. */
export function preview(message) {
  if (!message) return "";
  const text = message.text ?? message.caption ?? richText(message);
  return text ?? mediaText(message) ?? serviceText(message) ?? "";
}

/** The words of a rich message, one block a line. */
function richText({ rich_message: rich }) {
  return rich?.blocks?.map(wordsOf).join("\n");
}

function wordsOf(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(wordsOf).join("");
  return value ? [value.text, value.blocks, value.items].map(wordsOf).join("") : "";
}

function clockText(message) {
  const time = new Date(message.date * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
  });
  return message.edit_date ? `edited ${time}` : time;
}

const serviceTexts = {
  pinned_message: (pinned, { from, chat }) =>
    `${from?.first_name ?? chat.title} pinned “${preview(pinned)}”`,
  new_chat_title: (title) => `The chat is now called “${title}”`,
  new_chat_photo: () => "The chat has a new photo",
  delete_chat_photo: () => "The chat's photo was removed",
  new_chat_members: (users) => `${users.map((user) => user.first_name).join(", ")} joined`,
  forum_topic_created: ({ name }) => `The topic “${name}” was created`,
  forum_topic_edited: ({ name }) =>
    name ? `The topic is now called “${name}”` : "The topic has a new icon",
  forum_topic_closed: () => "The topic was closed",
  forum_topic_reopened: () => "The topic was opened again",
  general_forum_topic_hidden: () => "The general topic was hidden",
  general_forum_topic_unhidden: () => "The general topic is shown again",
  gift: ({ text }) => `🎁 A gift${text ? `: ${text}` : ""}`,
};

function serviceText(message) {
  const told = Object.keys(serviceTexts).find((name) => message[name] !== undefined);
  if (told) return serviceTexts[told](message[told], message);
  if (message.migrate_to_chat_id) return "The group became a supergroup";
  const { refunded_payment: refund, successful_payment: payment } = message;
  if (payment) return `You paid ⭐️${payment.total_amount}`;
  if (refund) return `You got ⭐️${refund.total_amount} back`;
  if (message.migrate_from_chat_id) return "This supergroup was a group before";
  return undefined;
}

function mediaText(message) {
  const field = Object.keys(mediaNames).find((name) => message[name] !== undefined);
  if (!field) return undefined;
  const media = message[field];
  const detail =
    media.file_name ?? media.question ?? media.first_name ?? media.title ?? media.value ?? "";
  return `${media.emoji ?? mediaNames[field]} ${detail}`.trim();
}

function keyboardView(message, on) {
  const rows = message.reply_markup?.inline_keyboard ?? [];
  return rows.map((row, rowIndex) => {
    const line = element("div", "row");
    row.forEach((button, columnIndex) => {
      const sign = button.url ? " ↗" : button.web_app ? " ▣" : "";
      const key = element("button", "", button.text + sign);
      key.type = "button";
      key.addEventListener("click", () => on.press(button, rowIndex, columnIndex, key));
      line.append(key);
    });
    return line;
  });
}

/** Cuts the text at every border of an entity, and wraps each piece in the entities that cover it. */
function formatted(text, entities, on) {
  const borderSet = new Set([0, text.length]);
  for (const { offset, length } of entities) {
    borderSet.add(offset);
    borderSet.add(offset + length);
  }
  const borders = [...borderSet].sort((a, b) => a - b);
  // An entity is one element even when another one ends inside of it, unless they overlap.
  return pieces(text, 0, text.length, borders, entities, on);
}

function pieces(text, from, to, borders, entities, on) {
  const nodes = [];
  let at = from;
  while (at < to) {
    const [outer, ...others] = entities
      .filter((entity) => entity.offset <= at && entity.offset + entity.length > at)
      .sort((a, b) => b.length - a.length);
    const border = borders.find((other) => other > at) ?? to;
    if (!outer) {
      nodes.push(document.createTextNode(text.slice(at, border)));
      at = border;
      continue;
    }
    const end = Math.min(to, outer.offset + outer.length);
    const inner = entities.filter((entity) => entity !== outer && entity.offset < end);
    const kept = inner.filter((entity) => others.includes(entity) || entity.offset >= at);
    const wrapped = wrapper(outer, text.slice(at, end), on);
    wrapped.append(...pieces(text, at, end, borders, kept, on));
    nodes.push(wrapped);
    at = end;
  }
  return nodes;
}

function wrapper(entity, text, on) {
  if (entity.type === "text_link" || entity.type === "url" || entity.type === "email") {
    return link(entity, text);
  }
  if (entity.type === "bot_command") {
    const command = element("button", "command");
    command.type = "button";
    command.addEventListener("click", () => on.command(text));
    return command;
  }
  if (entity.type === "spoiler") {
    const spoiler = element("span", "spoiler");
    spoiler.tabIndex = 0;
    return spoiler;
  }
  return element(tags[entity.type] ?? "span");
}

/** Only addresses that cannot run code become links. */
function link(entity, text) {
  const target = entity.url ?? (entity.type === "email" ? `mailto:${text}` : text);
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (!url || !["http:", "https:", "mailto:", "tg:", "tel:"].includes(url.protocol)) {
    return element("span");
  }
  const anchor = element("a");
  anchor.href = url.href;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  return anchor;
}
