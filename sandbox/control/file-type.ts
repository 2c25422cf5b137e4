/**
 * File type: tells by its first bytes how a browser shows a file.
 *
 * Only pictures and sounds are shown; nothing that could run in the page is among them.
 */

/** Types by where their mark is, and what it is. */
const marks: readonly (readonly [string, number, string])[] = [
  ["image/png", 0, "\x89PNG"],
  ["image/jpeg", 0, "\xff\xd8\xff"],
  ["image/gif", 0, "GIF8"],
  ["image/webp", 8, "WEBP"],
  ["audio/wav", 8, "WAVE"],
  ["video/mp4", 4, "ftyp"],
  ["video/webm", 0, "\x1aE\xdf\xa3"],
  ["audio/ogg", 0, "OggS"],
  ["audio/mpeg", 0, "ID3"],
];

export function fileType(content: Buffer): string {
  const found = marks.find(
    ([, at, mark]) => content.toString("latin1", at, at + mark.length) === mark,
  );
  return found?.[0] ?? "application/octet-stream";
}
