/** Detected entities: finds what Telegram detects in plain text. Good enough, not complete. */
import type { Entity } from "../world/objects.ts";

const kinds: readonly (readonly [string, RegExp])[] = [
  // After or before any of / < > it is a path or a tag, not a command (as in TDLib).
  ["bot_command", /(?<![\w/<>])\/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/<>])/g],
  ["url", /(?<![\w@])https?:\/\/[^\s<>"]+[^\s<>".,!?;:)]/gi],
  ["email", /(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?![\w@])/g],
  ["mention", /(?<![\w@.])@[A-Za-z0-9_]{2,32}(?![\w@])/g],
  ["hashtag", /(?<![\p{L}\p{N}_#])#[\p{L}\p{N}_]*[\p{L}_][\p{L}\p{N}_]*/gu],
  ["cashtag", /(?<![\p{L}\p{N}_$])\$[A-Z]{1,8}(?:@\w{3,32})?(?![\p{L}\p{N}_$])/gu],
];

/** A text without any of these has no entity to detect. */
const worthLooking = /[/@#$]/;

/** No entity is detected inside of these. */
const opaque: ReadonlySet<string> = new Set(["code", "pre", "text_link", "text_mention"]);

/** @param entities Those that exist already; no entity that clashes with them is detected. */
export function detectEntities(text: string, entities: readonly Entity[]): readonly Entity[] {
  if (!worthLooking.test(text)) return [];
  const taken: Entity[] = entities.filter(
    ({ type }) => opaque.has(type) || kinds.some(([kind]) => kind === type),
  );
  const found: Entity[] = [];
  for (const [type, pattern] of kinds) {
    for (const match of text.matchAll(pattern)) {
      const entity = { offset: match.index, length: match[0].length, type };
      if (taken.some((other) => overlap(entity, other))) continue;
      taken.push(entity);
      found.push(entity);
    }
  }
  return found;
}

function overlap(a: Entity, b: Entity): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}
