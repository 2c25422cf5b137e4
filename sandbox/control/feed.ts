/** Feed: the messages of one `feed` request, one by one. */
import type { FeedRequest, WriteRequest } from "../control-api.ts";
import { ControlError, integerIn } from "./control-error.ts";

const feedMax = 100_000;

export function* feedMessages(request: FeedRequest): Iterable<WriteRequest> {
  const bot = request.botId === undefined ? {} : { botId: request.botId };
  if (request.messages !== undefined) {
    if (!Array.isArray(request.messages)) throw new ControlError(400, "messages must be a list");
    for (const message of request.messages) yield { ...bot, ...message };
    return;
  }
  const count = integerIn({ count: request.count }, "count", 1, feedMax);
  const users = integerIn({ users: request.users ?? 1 }, "users", 1, feedMax);
  const firstUserId = request.firstUserId ?? 1_000_001;
  const text = request.text ?? "message {n}";
  for (let number = 1; number <= count; number++) {
    const userId = firstUserId + ((number - 1) % users);
    yield { ...bot, userId, text: text.replaceAll("{n}", String(number)) };
  }
}
