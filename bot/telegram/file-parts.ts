/**
 * File parts: finds the files by path in a recorded call, for a multipart upload.
 *
 * Telegraf names a file on disk `{ source: "path" }`. A top-level one is uploaded under its own field
 * name; one inside `media` under a name that `attach://` refers to.
 * Source: Bot API, "Sending files" and InputMedia.
 */
import type { Json, JsonObject } from "../contracts/message.ts";

export interface FilePart {
  readonly field: string;
  readonly path: string;
  readonly filename: string | undefined;
}

/** @returns the call's fields with references in place of paths, and the files they refer to. */
export function extractFiles(payload: JsonObject): {
  readonly fields: JsonObject;
  readonly files: readonly FilePart[];
} {
  const files: FilePart[] = [];
  const attach = (value: Json): Json => {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(attach);
    const object = value as JsonObject;
    if (isFile(object)) {
      const field = `file${files.length}`;
      files.push({ field, path: object.source, filename: filenameOf(object) });
      return `attach://${field}`;
    }
    return Object.fromEntries(Object.entries(object).map(([name, inner]) => [name, attach(inner)]));
  };
  const fields: Record<string, Json> = {};
  for (const [name, value] of Object.entries(payload)) {
    if (isFile(value)) files.push({ field: name, path: value.source, filename: filenameOf(value) });
    else fields[name] = mayHoldFiles(name) ? attach(value) : value;
  }
  return { fields, files };
}

/** Whether a value names a file on disk. */
function isFile(value: Json): value is { readonly source: string } & JsonObject {
  return (
    value !== null &&
    typeof value === "object" &&
    !Array.isArray(value) &&
    typeof (value as JsonObject)["source"] === "string"
  );
}

/** Fields whose objects may hold files: `media`, `sticker`, `stickers`. */
function mayHoldFiles(field: string): boolean {
  return field === "media" || field.startsWith("sticker");
}

function filenameOf(file: JsonObject): string | undefined {
  return typeof file["filename"] === "string" ? file["filename"] : undefined;
}
