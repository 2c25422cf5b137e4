/** Rich view: the blocks of a rich message as elements, and their words in one line for previews. */
import { element } from "./element.js";

/** @param blocks Telegram's `RichBlock` objects. */
export function richView(blocks) {
  const view = element("div", "rich");
  view.append(...blocks.map(blockView));
  return view;
}

/** The words of a rich message, one block a line. */
export function richText({ rich_message: rich }) {
  return rich?.blocks?.map(blockWords).join("\n");
}

const makers = {
  heading: ({ size, text }) => filled(`h${Math.min(6, Math.max(3, size + 2))}`, text),
  divider: () => element("hr"),
  pre: ({ text }) => filled("pre", text),
  blockquote: ({ blocks }) => nested("blockquote", blocks),
  list: ({ items }) => {
    const list = element("ul");
    for (const { blocks, label } of items) {
      const item = nested("li", blocks);
      item.dataset.label = label;
      list.append(item);
    }
    return list;
  },
};

function blockView(block) {
  const make = makers[block.type] ?? (({ text }) => filled("p", text ?? ""));
  return make(block);
}

function nested(tag, blocks) {
  const view = element(tag);
  view.append(...blocks.map(blockView));
  return view;
}

const textTags = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
};

function filled(tag, text) {
  const view = element(tag);
  view.append(...textNodes(text));
  return view;
}

/** A text is a string, an object with a style, or a list of both. */
function textNodes(text) {
  if (typeof text === "string") return [document.createTextNode(text)];
  if (Array.isArray(text)) return text.flatMap(textNodes);
  return [filled(textTags[text?.type] ?? "span", text?.text ?? "")];
}

function blockWords({ blocks, items, text, type }) {
  if (type === "divider") return "———";
  const lines = items?.map((item) => `${item.label} ${item.blocks.map(blockWords).join(" ")}`);
  return (lines ?? blocks?.map(blockWords))?.join("\n") ?? textWords(text);
}

function textWords(text) {
  if (typeof text === "string") return text;
  return Array.isArray(text) ? text.map(textWords).join("") : textWords(text?.text ?? "");
}
