/**
 * Split text: cuts a formatted text into parts that Telegram takes.
 *
 * A part ends at the end of a line, else of a word, else before an entity, else of a grapheme; never
 * inside an entity that fits into a part. Only where nothing else is possible (an entity or a grapheme
 * longer than a part) it is cut, but never between the halves of a surrogate pair. The white space at
 * a cut is left out, because Telegram trims messages. Pure, and linear in the text's length.
 */
import { graphemesOf } from "../../core/graphemes.ts";
import type { Entity, FormattedText } from "../delivery/markup-rules.ts";

/**
 * @param lengthMax Returns the maximum length of the part with this index, in UTF-16 units; at least 2.
 * @returns the parts that are not blank; none when the whole text is blank.
 */
export function splitText(
  { entities, text }: FormattedText,
  lengthMax: (index: number) => number,
): readonly FormattedText[] {
  const parts: FormattedText[] = [];
  let ahead = 0;
  for (let start = 0; start < text.length; ) {
    const limit = lengthMax(parts.length);
    // Entities that have ended are not looked at again.
    while (ahead < entities.length && endOf(entities[ahead] as Entity) <= start) ahead++;
    const near = nearby(entities, ahead, start, start + limit);
    const cut = text.length - start <= limit ? text.length : findCut(text, near, start, limit);
    const end = start + text.slice(start, cut).trimEnd().length;
    if (end > start) parts.push(partOf(text, near, start, end));
    start = nextStart(text, cut);
  }
  return parts;
}

function endOf(entity: Entity): number {
  return entity.offset + entity.length;
}

/** The entities that touch the range. They are sorted by offset. */
function nearby(entities: readonly Entity[], from: number, start: number, end: number): Entity[] {
  const near: Entity[] = [];
  for (let index = from; index < entities.length; index++) {
    const entity = entities[index] as Entity;
    if (entity.offset > end) break;
    if (endOf(entity) > start) near.push(entity);
  }
  return near;
}

/** Returns where the part that begins at `start` ends: after `start`, at most `limit` later. */
function findCut(text: string, entities: readonly Entity[], start: number, limit: number): number {
  const candidates = graphemeEnds(text, start, limit);
  const inside = insideEntities(entities, start, limit);
  const whole = candidates.filter((at) => inside[at - start] === 0);
  const isLine = (at: number) => text[at] === "\n";
  const isWord = (at: number) => isSpace(text[at] as string);
  // A first line of a few words would make a message of its own out of them.
  const wellFilled = (at: number) => at - start >= limit / 2;
  return (
    whole.findLast((at) => wellFilled(at) && isLine(at)) ??
    whole.findLast((at) => wellFilled(at) && isWord(at)) ??
    whole.findLast(isWord) ??
    whole.at(-1) ??
    candidates.findLast(isLine) ??
    candidates.findLast(isWord) ??
    candidates.at(-1) ??
    start + limit - Number(isPairAt(text, start + limit - 1))
  );
}

/** The ends of graphemes within `limit` of `start`, which is one itself. */
function graphemeEnds(text: string, start: number, limit: number): number[] {
  const ends: number[] = [];
  // One code point more decides whether the last one ends a grapheme.
  for (const { index, segment } of graphemesOf(text.slice(start, start + limit + 2))) {
    const end = index + segment.length;
    if (end > limit) break;
    ends.push(start + end);
  }
  return ends;
}

/** Counts, for each place from `start` to `limit` later, the entities it would cut needlessly. */
function insideEntities(entities: readonly Entity[], start: number, limit: number): Int32Array {
  const counts = new Int32Array(limit + 2);
  for (const entity of entities) {
    if (entity.length > limit) continue;
    const from = Math.max(entity.offset + 1 - start, 0);
    const to = Math.min(endOf(entity) - start, limit + 1);
    if (from >= to) continue;
    counts[from] = (counts[from] as number) + 1;
    counts[to] = (counts[to] as number) - 1;
  }
  for (let at = 1; at < counts.length; at++) {
    counts[at] = (counts[at] as number) + (counts[at - 1] as number);
  }
  return counts;
}

function isSpace(character: string): boolean {
  return character.trim() === "";
}

function isPairAt(text: string, index: number): boolean {
  return (text.codePointAt(index) ?? 0) > 0xffff;
}

/** Skips the white space at a cut, but keeps the indentation of the line that follows. */
function nextStart(text: string, cut: number): number {
  let next = cut;
  let at = cut;
  let broken = false;
  while (at < text.length && isSpace(text[at] as string)) {
    broken ||= text[at] === "\n";
    if (!broken || text[at] === "\n") next = at + 1;
    at++;
  }
  if (at === text.length) return at;
  // A mark that combines with the last space needs it.
  const alone =
    next === cut || graphemesOf(text.slice(next - 1, next + 2)).containing(1)?.index === 1;
  return alone ? next : next - 1;
}

function partOf(
  text: string,
  entities: readonly Entity[],
  start: number,
  end: number,
): FormattedText {
  const within = entities.flatMap((entity) => {
    const offset = Math.max(entity.offset, start);
    const length = Math.min(endOf(entity), end) - offset;
    return length > 0 ? [{ ...entity, offset: offset - start, length }] : [];
  });
  return { text: text.slice(start, end), entities: within };
}
