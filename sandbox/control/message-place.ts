/** Message place: where in a chat a person writes: in which topic, and in answer to what. */
import type { WritingPlace } from "../control-api.ts";
import type { MessageContent } from "../world/account.ts";
import type { Message } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { generalTopicId } from "../world/topics.ts";
import { ControlError } from "./control-error.ts";

/** The topic and the answered message. An answer stays in the topic of its message. */
export function placeOf(room: Room, { replyToMessageId, threadId }: WritingPlace): MessageContent {
  const replied = replyToMessageId === undefined ? undefined : room.message(replyToMessageId);
  if (replyToMessageId !== undefined && !replied) {
    throw new ControlError(404, `no message ${replyToMessageId} in this chat`);
  }
  const thread = threadId ?? replied?.message_thread_id;
  if (thread !== undefined && thread !== generalTopicId) {
    const topic = room.chat.is_forum ? room.topics.get(thread) : undefined;
    if (!topic) throw new ControlError(404, `no topic ${thread} in this chat`);
    if (topic.closed) throw new ControlError(400, "the topic is closed");
  }
  const inTopic = thread !== undefined && thread !== generalTopicId;
  const { reply_to_message, ...quoted } = replied ?? {};
  return {
    ...(inTopic ? { message_thread_id: thread, is_topic_message: true } : {}),
    ...(replied ? { reply_to_message: quoted as Message } : {}),
  };
}
