/**
 * Suggested posts: methods that take or refuse a post which a reader suggests to a channel.
 *
 * Source: Bot API, SuggestedPostInfo. A message of a channel's direct messages becomes one when it
 * has `suggested_post_info`, which an injected message can have.
 */
import { badRequest } from "../http/answer.ts";
import { isRecord } from "../text/reply-markup.ts";
import { type Call, messageIn, roomFor } from "./call.ts";

/** A post can be planned for up to thirty days. */
const aheadMaxS = 2_678_400;

export function approveSuggestedPost(call: Call): true {
  const date = call.parameters.integer("send_date");
  return decide(call, "approved", () => {
    const aheadS = date - call.around.clock.epochS();
    if (date !== 0 && (aheadS < 0 || aheadS > aheadMaxS)) throw badRequest("SCHEDULE_DATE_INVALID");
    return { suggested_post_approved: { send_date: date || call.around.clock.epochS() } };
  });
}

export function declineSuggestedPost(call: Call): true {
  const comment = call.parameters.text("comment");
  return decide(call, "declined", () => {
    if ([...comment].length > 128) throw badRequest("COMMENT_TOO_LONG");
    return { suggested_post_declined: comment ? { comment } : {} };
  });
}

function decide(call: Call, state: string, told: () => Readonly<Record<string, object>>): true {
  const room = roomFor(call, "write");
  const message = messageIn(call, room, "", "suggested post");
  const info = message["suggested_post_info"];
  if (!isRecord(info)) throw badRequest("message is not a suggested post");
  if (info["state"] !== "pending") throw badRequest("suggested post can't be changed anymore");
  const content = told();
  room.put({ ...message, suggested_post_info: { ...info, state } });
  call.account.post(room, call.account.me, content);
  return true;
}
