/**
 * Topics: methods that make and change the threads of a forum.
 *
 * Each change is told by a service message in the topic.
 * Source: Bot API, ForumTopic; tdlib/td, ForumTopicManager.cpp.
 */
import { badRequest } from "../http/answer.ts";
import type { MessageContent } from "../world/account.ts";
import type { Message } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { generalTopicId, iconColorDefault, type Topic } from "../world/topics.ts";
import { type Call, needRight, roomFor } from "./call.ts";
import { remove } from "./editing.ts";
import { unpinTopic } from "./pins.ts";

const nameLengthMax = 128;
/** Source: Bot API, createForumTopic. */
const iconColors: ReadonlySet<number> = new Set([
  iconColorDefault,
  0xffd67e,
  0xcb86db,
  0x8eee98,
  0xff93b2,
  0xfb6f5f,
]);

/** The emoji of the icons that every forum may use; each has an id of the sandbox's own. */
const icons = ["📰", "💡", "⚡️", "🎙", "🔝", "🗣", "🆒", "❗️", "📝", "📆"];

export function getForumTopicIconStickers(): unknown {
  return icons.map((emoji, index) => ({
    width: 512,
    height: 512,
    emoji,
    set_name: "Topics",
    is_animated: true,
    is_video: false,
    type: "custom_emoji",
    custom_emoji_id: `54179152031006${13_990 + index}`,
    file_id: `CAACAgIAAxUAAWtopic${index}`,
    file_unique_id: `AgADtopic${index}`,
  }));
}

export function createForumTopic(call: Call): unknown {
  const { account, parameters } = call;
  const color = parameters.integer("icon_color") || iconColorDefault;
  const room = forum(call);
  const name = checkedName(parameters.text("name"));
  if (!iconColors.has(color)) throw badRequest("invalid icon color specified");
  const icon = parameters.text("icon_custom_emoji_id");
  const custom = icon ? { icon_custom_emoji_id: icon } : {};
  const created = { name, icon_color: color, ...custom };
  // A topic has the number of the service message that tells of it.
  const { message_id } = account.post(room, account.me, { forum_topic_created: created });
  const message = room.message(message_id) as Message;
  room.put({ ...message, message_thread_id: message_id, is_topic_message: true });
  const iconId = icon ? { iconCustomEmojiId: icon } : {};
  room.topics.put({
    id: message_id,
    name,
    iconColor: color,
    ...iconId,
    closed: false,
    hidden: false,
  });
  account.changed({ kind: "chat", ...room.place });
  return { message_thread_id: message_id, ...created };
}

export function editForumTopic(call: Call): true {
  const { parameters } = call;
  const room = forum(call);
  const topic = topicIn(call, room);
  const given = parameters.text("name");
  const name = given === "" ? topic.name : checkedName(given);
  const icon = parameters.raw("icon_custom_emoji_id");
  const { iconCustomEmojiId, ...kept } = topic;
  const nextIcon = icon === undefined ? iconCustomEmojiId : icon;
  if (name === topic.name && (nextIcon ?? "") === (iconCustomEmojiId ?? "")) {
    throw badRequest("TOPIC_NOT_MODIFIED");
  }
  const edited = {
    ...(name === topic.name ? {} : { name }),
    ...(icon === undefined ? {} : { icon_custom_emoji_id: icon }),
  };
  const next = { ...kept, name, ...(nextIcon ? { iconCustomEmojiId: nextIcon } : {}) };
  put(call, room, next, { forum_topic_edited: edited });
  return true;
}

export const closeForumTopic = (call: Call) => setClosed(call, topicIn, true);
export const reopenForumTopic = (call: Call) => setClosed(call, topicIn, false);
export const closeGeneralForumTopic = (call: Call) => setClosed(call, general, true);
export const reopenGeneralForumTopic = (call: Call) => setClosed(call, general, false);

type FindTopic = (call: Call, room: Room) => Topic;

function setClosed(call: Call, find: FindTopic, closed: boolean): true {
  const room = forum(call);
  const topic = find(call, room);
  if (topic.closed === closed) throw badRequest("TOPIC_NOT_MODIFIED");
  const told = closed ? { forum_topic_closed: {} } : { forum_topic_reopened: {} };
  // A general topic that is opened again is also shown again.
  put(call, room, { ...topic, closed, hidden: closed && topic.hidden }, told);
  return true;
}

/** Deletes the topic with its messages. */
export function deleteForumTopic(call: Call): true {
  const room = forum(call);
  needRight(call, room, "can_delete_messages", "not enough rights to delete the topic");
  const { id } = topicIn(call, room);
  if (!room.topics.remove(id)) throw badRequest("TOPIC_ID_INVALID");
  const inside = [...room.messages()].filter((message) => message.message_thread_id === id);
  for (const { message_id } of inside) remove(call, room, message_id);
  call.account.changed({ kind: "chat", ...room.place });
  return true;
}

export function unpinAllForumTopicMessages(call: Call): true {
  const room = forum(call, "can_pin_messages");
  unpinTopic(call, room, topicIn(call, room).id);
  return true;
}

export function unpinAllGeneralForumTopicMessages(call: Call): true {
  unpinTopic(call, forum(call, "can_pin_messages"), undefined);
  return true;
}

export function editGeneralForumTopic(call: Call): true {
  const room = forum(call);
  const topic = general(call, room);
  const name = checkedName(call.parameters.text("name"));
  if (name === topic.name) throw badRequest("TOPIC_NOT_MODIFIED");
  put(call, room, { ...topic, name }, { forum_topic_edited: { name } });
  return true;
}

export const hideGeneralForumTopic = (call: Call) => setHidden(call, true);
export const unhideGeneralForumTopic = (call: Call) => setHidden(call, false);

/** A hidden general topic is also closed. */
function setHidden(call: Call, hidden: boolean): true {
  const room = forum(call);
  const topic = general(call, room);
  if (topic.hidden === hidden) throw badRequest("TOPIC_NOT_MODIFIED");
  const told = hidden ? { general_forum_topic_hidden: {} } : { general_forum_topic_unhidden: {} };
  put(call, room, { ...topic, hidden, closed: hidden || topic.closed }, told);
  return true;
}

function forum(call: Call, right = "can_manage_topics"): Room {
  const room = roomFor(call, "write");
  if (!room.chat.is_forum) throw badRequest("the chat is not a forum");
  needRight(call, room, right, "not enough rights to manage topics");
  return room;
}

function topicIn(call: Call, room: Room): Topic {
  const topic = room.topics.get(call.parameters.integer("message_thread_id"));
  if (!topic) throw badRequest("TOPIC_ID_INVALID");
  return topic;
}

function general(_: Call, room: Room): Topic {
  return room.topics.get(generalTopicId) as Topic;
}

function checkedName(given: string): string {
  const name = given.trim();
  if (name === "") throw badRequest("topic name can't be empty");
  if ([...name].length > nameLengthMax) throw badRequest("TOPIC_TITLE_TOO_LONG");
  return name;
}

function put({ account }: Call, room: Room, topic: Topic, told: MessageContent): void {
  room.topics.put(topic);
  const { id } = topic;
  const thread = id === generalTopicId ? {} : { message_thread_id: id, is_topic_message: true };
  account.post(room, account.me, { ...thread, ...told });
  account.changed({ kind: "chat", ...room.place });
}
