/** Message view: renders a message as elements. */
import { checklistView } from "./checklist-view.js";
import { element } from "./element.js";
import { mediaField, mediaNames, mediaView } from "./media-view.js";
import { pollView } from "./poll-view.js";
import { priceText } from "./price.js";
import { reactionsView } from "./reactions-view.js";
import { richText, richView } from "./rich-view.js";
import { formatted } from "./words.js";

/**
 * @param message Telegram's message object.
 * @param mine Whether the person in front of the page wrote it.
 * @param on Callbacks: `command(text)`, `follow(url)`, `press(button, row, column, element)`,
 *   `vote(optionIds)`, `tick(taskId, done)`, `addTask()`, `react(emoji)`, `show(messageId)`, `menu(opener)`, `buy()`, `fileAddress(fileId)`; and
 *   what the page knows: `votes`, `reactions` and `bought`.
 */
export function messageView(message, mine, on) {
  const view = bodyOf(message, mine, on);
  const { chat, from, message_id } = message;
  const author = from?.id ?? message.sender_chat?.id ?? chat.id;
  Object.assign(view.dataset, { messageId: message_id, author, date: message.date });
  return view;
}

function bodyOf(message, mine, on) {
  const service = serviceText(message);
  if (service) return element("p", "service", service);
  const view = element("article", mine ? "message mine" : "message");
  const stack = element("div", "stack");
  const bubble = element("div", "bubble");
  const author = (message.sender_chat ?? message.chat).title;
  const person = message.sender_chat ? undefined : message.from?.first_name;
  if (!mine) bubble.append(element("span", "author", person ?? author));
  if (message.via_bot) bubble.append(element("span", "via", `via @${message.via_bot.username}`));
  if (message.forward_origin) bubble.append(forwardedFrom(message.forward_origin));
  if (message.reply_to_message) bubble.append(quoteOf(message.reply_to_message, on));
  const media = contentView(message, mine, on);
  if (media) bubble.append(media);
  const text = message.text ?? message.caption ?? "";
  const words = element("div", "words");
  const said = element("span");
  said.append(...formatted(text, message.entities ?? message.caption_entities ?? [], on));
  words.append(said, metaOf(message, mine));
  bubble.append(words);
  bubble.classList.toggle("bare", text === "" && isPicture(message));
  bubble.classList.toggle("pictured", isPicture(message));
  stack.append(bubble, ...keyboardView(message, on), reactionsView(on.reactions, on.react));
  const more = element("button", "more", "⋮");
  more.type = "button";
  more.setAttribute("aria-label", "Message menu");
  more.setAttribute("aria-haspopup", "menu");
  more.addEventListener("click", () => on.menu(more));
  view.append(stack, more);
  return view;
}

function contentView(message, mine, on) {
  const { checklist, poll, rich_message: rich } = message;
  if (rich?.blocks) return richView(rich.blocks);
  if (poll) return pollView(poll, on.votes, on.vote);
  return checklist ? checklistView(checklist, mine, on) : mediaView(message, on);
}

const pictures = new Set(["photo", "live_photo", "video", "animation", "video_note", "sticker"]);

function isPicture(message) {
  return pictures.has(mediaField(message));
}

function forwardedFrom({ chat, sender_user: user }) {
  const name = user?.first_name ?? chat?.title ?? "somebody";
  return element("span", "author", `Forwarded from ${name}`);
}

function quoteOf(replied, on) {
  const quote = element("button", "quote");
  quote.type = "button";
  const name = replied.from?.first_name ?? replied.chat.title;
  quote.append(element("strong", "", name), element("span", "", preview(replied)));
  quote.addEventListener("click", () => on.show(replied.message_id));
  return quote;
}

function metaOf(message, mine) {
  const meta = element("span", "meta");
  const { views } = message;
  if (views) meta.append(`👁 ${views} `);
  if (message.edit_date) meta.append("edited ");
  meta.append(element("time", "", clockText(message.date)));
  if (mine) meta.append(element("span", "ticks", "✓✓"));
  return meta;
}

/** One line that says what a message is about. */
export function preview(message) {
  if (!message) return "";
  const text = message.text ?? message.caption ?? richText(message);
  return text ?? mediaText(message) ?? serviceText(message) ?? "";
}

/** @param date Unix seconds. */
export function clockText(date) {
  return new Date(date * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

const serviceTexts = {
  pinned_message: (pinned, { from, chat }) =>
    `${from?.first_name ?? chat.title} pinned “${preview(pinned)}”`,
  new_chat_title: (title) => `The chat is now called “${title}”`,
  new_chat_photo: () => "The chat has a new photo",
  delete_chat_photo: () => "The chat's photo was removed",
  new_chat_members: (users) => `${users.map((user) => user.first_name).join(", ")} joined`,
  users_shared: ({ users }) =>
    users.length === 1 ? "You shared a person" : `You shared ${users.length} people`,
  chat_shared: ({ title }) => (title ? `You shared “${title}”` : "You shared a chat"),
  checklist_tasks_done: (told, { from }) => tasksText(told, from),
  checklist_tasks_added: ({ tasks }, { from }) =>
    `${from.first_name} added ${tasks.map(({ text }) => `“${text}”`).join(", ")}`,
  left_chat_member: (user) => `${user.first_name} left`,
  forum_topic_created: ({ name }) => `The topic “${name}” was created`,
  forum_topic_edited: ({ name }) =>
    name ? `The topic is now called “${name}”` : "The topic has a new icon",
  forum_topic_closed: () => "The topic was closed",
  forum_topic_reopened: () => "The topic was opened again",
  general_forum_topic_hidden: () => "The general topic was hidden",
  general_forum_topic_unhidden: () => "The general topic is shown again",
  gift: ({ text }) => `🎁 A gift${text ? `: ${text}` : ""}`,
  suggested_post_approved: () => "The suggested post was approved",
  suggested_post_declined: ({ comment }) =>
    `The suggested post was declined${comment ? `: ${comment}` : ""}`,
};

function tasksText({ checklist_message: told, marked_as_done_task_ids: done = [], ...rest }, from) {
  const { marked_as_not_done_task_ids: undone = [] } = rest;
  const names = (ids) =>
    told.checklist.tasks
      .filter(({ id }) => ids.includes(id))
      .map(({ text }) => `“${text}”`)
      .join(", ");
  const lines = [
    ...(done.length > 0 ? [`marked ${names(done)} as done`] : []),
    ...(undone.length > 0 ? [`marked ${names(undone)} as not done`] : []),
  ];
  return `${from.first_name} ${lines.join(" and ")}`;
}

function serviceText(message) {
  const told = Object.keys(serviceTexts).find((name) => message[name] !== undefined);
  if (told) return serviceTexts[told](message[told], message);
  if (message.migrate_to_chat_id) return "The group became a supergroup";
  const { refunded_payment: refund, successful_payment: payment } = message;
  if (payment) return `You paid ${priceText(payment.currency, payment.total_amount)}`;
  if (refund) return `You got ${priceText(refund.currency, refund.total_amount)} back`;
  if (message.migrate_from_chat_id) return "This supergroup was a group before";
  return undefined;
}

function mediaText(message) {
  const field = mediaField(message);
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
      const sign = button.url || button.login_url ? " ↗" : button.web_app ? " ▣" : "";
      const key = element("button", "", button.text + sign);
      key.type = "button";
      key.addEventListener("click", () => on.press(button, rowIndex, columnIndex, key));
      line.append(key);
    });
    return line;
  });
}
