/** Words: a text with its entities as elements. All text goes through textContent. */
import { element } from "./element.js";

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

/**
 * Cuts the text at every border of an entity, and wraps each piece in the entities that cover it.
 *
 * @param on Callbacks: `command(text)`, and `follow(url)`, which returns whether it opened the address.
 */
export function formatted(text, entities, on) {
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
    return link(entity, text, on);
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
  if (/mention|hashtag|cashtag/.test(entity.type)) return element("span", "mention");
  return element(tags[entity.type] ?? "span");
}

/** Only addresses that cannot run code become links. */
function link(entity, text, on) {
  const target = entity.url ?? (entity.type === "email" ? `mailto:${text}` : text);
  const url = URL.canParse(target) ? new URL(target) : undefined;
  if (!url || !["http:", "https:", "mailto:", "tg:", "tel:"].includes(url.protocol)) {
    return element("span");
  }
  const anchor = element("a");
  anchor.href = url.href;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  anchor.addEventListener("click", (event) => {
    if (on.follow(target)) event.preventDefault();
  });
  return anchor;
}
