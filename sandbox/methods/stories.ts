/** Stories: methods that post, edit and delete the stories of a business account. Source: Bot API. */
import { badRequest } from "../http/answer.ts";
import { readFormattedText } from "../text/formatted-text.ts";
import { isRecord } from "../text/reply-markup.ts";
import type { BusinessConnection, Story } from "../world/business.ts";
import { businessConnection, type Call } from "./call.ts";
import { storedFile } from "./media.ts";

const captionLengthMax = 2_048;
const activePeriodsS = [6, 12, 24, 48].map((hours) => hours * 3_600);

export function postStory(call: Call): unknown {
  const content = readContent(call);
  const connection = businessConnection(call, "can_manage_stories");
  checkPeriod(call);
  return put(call, connection, nextId(connection), content);
}

/** Only a story that the bot has posted for another of its accounts can be reposted. */
export function repostStory(call: Call): unknown {
  const { account, parameters } = call;
  const connection = businessConnection(call, "can_manage_stories");
  checkPeriod(call);
  const from = account.business.ofUser(parameters.integer("from_chat_id"));
  const story = from?.stories.get(parameters.integer("from_story_id"));
  if (!story) throw badRequest("STORY_NOT_FOUND");
  return put(call, connection, nextId(connection), story.content);
}

export function editStory(call: Call): unknown {
  const content = readContent(call);
  const connection = businessConnection(call, "can_manage_stories");
  return put(call, connection, storyIn(call, connection).id, content);
}

export function deleteStory(call: Call): true {
  const connection = businessConnection(call, "can_manage_stories");
  connection.stories.delete(storyIn(call, connection).id);
  return true;
}

function storyIn({ parameters }: Call, connection: BusinessConnection): Story {
  const story = connection.stories.get(parameters.integer("story_id"));
  if (!story) throw badRequest("STORY_NOT_FOUND");
  return story;
}

function nextId({ stories }: BusinessConnection): number {
  return Math.max(0, ...stories.keys()) + 1;
}

function put(
  { account }: Call,
  connection: BusinessConnection,
  id: number,
  content: Story["content"],
): unknown {
  connection.stories.set(id, { id, content });
  const { user } = connection;
  return { chat: account.privateRoom(user).chat, id };
}

function checkPeriod({ parameters }: Call): void {
  const period = parameters.integer("active_period");
  if (!activePeriodsS.includes(period)) throw badRequest("STORY_PERIOD_INVALID");
}

function readContent(call: Call): Story["content"] {
  const value = call.parameters.json("content", "can't parse story content JSON object");
  if (value === undefined) throw badRequest("story content isn't specified");
  if (!isRecord(value)) throw badRequest("object expected as story content");
  const { type } = value;
  if (type !== "photo" && type !== "video")
    throw badRequest("invalid story content type specified");
  const name = value[type];
  if (typeof name !== "string" || !name.startsWith("attach://")) {
    throw badRequest(`story ${type} must be uploaded as a file`);
  }
  const areas = call.parameters.json("areas", "can't parse story areas JSON object") ?? [];
  if (!Array.isArray(areas)) throw badRequest("expected an Array of InputStoryArea");
  const caption = readFormattedText(call.parameters, "caption", "caption_entities");
  if ([...caption.text].length > captionLengthMax) throw badRequest("message caption is too long");
  return { type, file: storedFile(call, "stories", name).file_id, caption: caption.text, areas };
}
