/**
 * Formatted text: makes a text and its entities from a bot's message, as Telegram does.
 *
 * It parses the bot's markup, trims the ends, and detects commands, mentions, hashtags and addresses.
 * Source: Bot API, MessageEntity and Formatting options; tdlib/td, MessageEntity.cpp.
 */
import { badRequest } from "../http/answer.ts";
import type { Parameters } from "../http/parameters.ts";
import type { Entity, FormattedText } from "../world/objects.ts";
import { detectEntities } from "./detected-entities.ts";
import { parseHtml } from "./html.ts";
import { parseMarkdown } from "./markdown.ts";
import { parseMarkdownV2 } from "./markdown-v2.ts";
import { settleEntities } from "./settled-entities.ts";

const rawBytesMax = 32_768;
const leadingSpace = /^\s+/;
const trailingSpace = /\s+$/;

/**
 * The text in `name` with its markup.
 *
 * @param parameters `parse_mode` and `entitiesName` are read beside the text.
 */
export function readFormattedText(
  parameters: Parameters,
  name: string,
  entitiesName: string,
): FormattedText {
  const entities = parameters.jsonOrNothing(entitiesName);
  return formatText(parameters.text(name), parameters.text("parse_mode"), entities);
}

/** @param entities Used when there is no parse mode; ignored unless it is an array of entities. */
export function formatText(raw: string, parseMode: string, entities: unknown): FormattedText {
  if (raw.length * 3 > rawBytesMax && Buffer.byteLength(raw) > rawBytesMax) {
    throw badRequest("text is too long");
  }
  return withDetected(trimmed(parsed(raw, parseMode, entities)));
}

/** A person's text: it has no markup, but commands and addresses are detected. */
export function plainText(text: string): FormattedText {
  return withDetected(trimmed({ text, entities: [] }));
}

function parsed(raw: string, parseMode: string, entities: unknown): FormattedText {
  switch (parseMode.toLowerCase()) {
    case "":
    case "none":
      return { text: raw, entities: givenEntities(entities, raw.length) };
    case "html":
      return parseHtml(raw);
    case "markdown":
      return parseMarkdown(raw);
    case "markdownv2":
      return parseMarkdownV2(raw);
    default:
      throw badRequest("unsupported parse_mode");
  }
}

function givenEntities(value: unknown, textLength: number): readonly Entity[] {
  if (!Array.isArray(value)) return [];
  const entities = value.filter(
    (entity: Partial<Entity> | null): entity is Entity =>
      typeof entity?.type === "string" &&
      Number.isSafeInteger(entity.offset) &&
      Number.isSafeInteger(entity.length) &&
      (entity.offset ?? -1) >= 0 &&
      (entity.length ?? 0) > 0,
  );
  for (const { length, offset } of entities) {
    if (offset + length > textLength) {
      throw badRequest(
        `entity beginning at UTF-16 offset ${offset} ends after the end of the text at UTF-16 offset ${offset + length}`,
      );
    }
  }
  return entities;
}

function trimmed({ text, entities }: FormattedText): FormattedText {
  const lead = leadingSpace.exec(text)?.[0].length ?? 0;
  const trail = lead === text.length ? 0 : (trailingSpace.exec(text)?.[0].length ?? 0);
  if (lead === 0 && trail === 0) return { text, entities };
  const end = text.length - trail - lead;
  const kept: Entity[] = [];
  for (const entity of entities) {
    const from = Math.max(0, entity.offset - lead);
    const to = Math.min(end, entity.offset + entity.length - lead);
    if (to > from) kept.push({ ...entity, offset: from, length: to - from });
  }
  return { text: text.slice(lead, text.length - trail), entities: kept };
}

function withDetected({ text, entities }: FormattedText): FormattedText {
  const detected = detectEntities(text, entities);
  return { text, entities: settleEntities(text, [...entities, ...detected]) };
}
