/**
 * Mentions: turns links to a person into mentions with the person, as Telegram does.
 *
 * A person whom the bot has never met is not mentioned: their entity is left out.
 * Source: Bot API, Formatting options, `tg://user?id=`.
 */
import type { MessageContent } from "../world/account.ts";
import type { Entity } from "../world/objects.ts";
import type { Call } from "./call.ts";

const fields = ["entities", "caption_entities"] as const;

/** The content with its mentions; the same object when it has none. */
export function withMentions(call: Call, content: MessageContent): MessageContent {
  let changed: Record<string, unknown> | undefined;
  for (const field of fields) {
    const entities = content[field] as readonly Entity[] | undefined;
    if (!entities?.some(mentionedId)) continue;
    changed ??= { ...content };
    const kept = entities.flatMap((entity) => resolved(call, entity));
    if (kept.length > 0) changed[field] = kept;
    else delete changed[field];
  }
  return changed ?? content;
}

/** The id of the person that an entity is about; 0 when it is about none. */
function mentionedId({ type, url, user }: Entity): number {
  if (type === "text_mention") return Number(user?.id ?? 0);
  const found = type === "text_link" ? /^tg:\/\/user\?id=(\d+)$/i.exec(url ?? "") : null;
  return found ? Number(found[1]) : 0;
}

function resolved({ account, around }: Call, entity: Entity): readonly Entity[] {
  const id = mentionedId(entity);
  if (id === 0) return [entity];
  const user = id === account.id ? account.me : around.users.get(id);
  const { length, offset } = entity;
  return user ? [{ offset, length, type: "text_mention", user }] : [];
}
