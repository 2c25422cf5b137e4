/**
 * Settled entities: makes the entities of a text nest, as Telegram does before it stores them.
 *
 * Entities that nest well already stay as they are. Otherwise code and links win over what overlaps them,
 * quotes win over links, and bold, italic, underline, strikethrough and spoiler are merged and cut to fit.
 * Source: Bot API, Formatting options; tdlib/td, fix_entities in MessageEntity.cpp.
 */
import type { Entity } from "../world/objects.ts";

/** These may be cut, and two of one kind that touch are one. */
const splittable: ReadonlySet<string> = new Set([
  "bold",
  "italic",
  "underline",
  "strikethrough",
  "spoiler",
]);
const code: ReadonlySet<string> = new Set(["code", "pre"]);
const quote: ReadonlySet<string> = new Set(["blockquote", "expandable_blockquote"]);

const endOf = ({ length, offset }: Entity) => offset + length;
const byPlace = (a: Entity, b: Entity) => a.offset - b.offset || b.length - a.length;

/** @returns the entities in order of their offsets, the longer one first, each properly inside another. */
export function settleEntities(text: string, given: readonly Entity[]): readonly Entity[] {
  if (given.length === 0) return given;
  const filled = given.filter(
    (entity) => text.slice(entity.offset, endOf(entity)).trim().length > 0,
  );
  const sorted = filled.sort(byPlace);
  if (areSettled(sorted)) return sorted;
  const quotes = withoutOverlaps(sorted.filter(({ type }) => quote.has(type)));
  const links = withoutOverlaps(
    sorted.filter(({ type }) => !splittable.has(type) && !quote.has(type)),
  ).filter((entity) => quotes.every((other) => nests(entity, other)));
  const fixed = [...quotes, ...links].sort(byPlace);
  const cut = cutAround(
    sorted.filter(({ type }) => splittable.has(type)),
    fixed,
  );
  return [...fixed, ...cut].sort(byPlace);
}

/** Whether one is inside of the other, or they have nothing in common. */
function nests(a: Entity, b: Entity): boolean {
  if (endOf(a) <= b.offset || endOf(b) <= a.offset) return true;
  return a.offset >= b.offset && endOf(a) <= endOf(b);
}

function areSettled(sorted: readonly Entity[]): boolean {
  const open: Entity[] = [];
  const ends = new Map<string, number>();
  for (const entity of sorted) {
    while (open.length > 0 && endOf(open.at(-1) as Entity) <= entity.offset) open.pop();
    const parent = open.at(-1);
    if (parent) {
      if (endOf(entity) > endOf(parent) || code.has(parent.type)) return false;
      if (open.some(({ type }) => type === entity.type)) return false;
      if (code.has(entity.type) && open.some(({ type }) => !quote.has(type))) return false;
      const whole = !splittable.has(entity.type);
      if (whole && open.some(({ type }) => !splittable.has(type) && !quote.has(type))) return false;
      if (quote.has(entity.type) && open.some(({ type }) => quote.has(type))) return false;
    }
    if (splittable.has(entity.type)) {
      if ((ends.get(entity.type) ?? -1) >= entity.offset) return false;
      ends.set(entity.type, endOf(entity));
    }
    open.push(entity);
  }
  return true;
}

/** Keeps the first of those that overlap. */
function withoutOverlaps(sorted: readonly Entity[]): readonly Entity[] {
  let end = 0;
  return sorted.filter((entity) => {
    if (entity.offset < end) return false;
    end = endOf(entity);
    return true;
  });
}

/** Merges what touches, takes code away from it, and cuts it at every border of the others. */
function cutAround(sorted: readonly Entity[], fixed: readonly Entity[]): readonly Entity[] {
  const merged = [...splittable].flatMap((type) => mergedOf(sorted, type));
  const borders = [...merged, ...fixed].flatMap((entity) => [entity.offset, endOf(entity)]);
  const places = [...new Set(borders)].sort((a, b) => a - b);
  const inCode = (place: number) =>
    fixed.some(
      ({ offset, type, length }) => code.has(type) && offset <= place && place < offset + length,
    );
  return merged.flatMap((entity) => {
    const inside = places.filter((place) => place > entity.offset && place < endOf(entity));
    const starts = [entity.offset, ...inside];
    return starts.flatMap((offset, index) => {
      const length = (starts[index + 1] ?? endOf(entity)) - offset;
      return inCode(offset) ? [] : [{ ...entity, offset, length }];
    });
  });
}

function mergedOf(sorted: readonly Entity[], type: string): readonly Entity[] {
  const found: Entity[] = [];
  for (const entity of sorted) {
    if (entity.type !== type) continue;
    const last = found.at(-1);
    if (!last || endOf(last) < entity.offset) found.push(entity);
    else
      found[found.length - 1] = {
        ...last,
        length: Math.max(endOf(last), endOf(entity)) - last.offset,
      };
  }
  return found;
}
