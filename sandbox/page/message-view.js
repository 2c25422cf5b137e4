/** Message view: renders a message as elements. All text from a bot goes through textContent. */

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
  dice: "🎲 dice",
  invoice: "🧾 invoice",
};

/** An element with a class and a text, both optional. */
export function element(tag, className = "", text = undefined) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/**
 * @param message Telegram's message object.
 * @param mine Whether the person in front of the page wrote it.
 * @param on Callbacks: `command(text)`, `press(button, element)`.
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
  if (media) bubble.append(element("div", "media", media));
  const text = message.text ?? message.caption ?? "";
  const words = element("div", "words");
  words.append(...formatted(text, message.entities ?? message.caption_entities ?? [], on));
  bubble.append(words, element("time", "time", clockText(message)));
  view.append(bubble, ...keyboardView(message, on));
  return view;
}

/** One line that says what a message is about. */
export function preview(message) {
  if (!message) return "";
  const text = message.text ?? message.caption;
  return text ?? mediaText(message) ?? serviceText(message) ?? "";
}

function clockText(message) {
  const time = new Date(message.date * 1000).toLocaleTimeString([], {
    hour: "2-digit",
    minute: "2-digit",
  });
  return message.edit_date ? `edited ${time}` : time;
}

function serviceText(message) {
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
