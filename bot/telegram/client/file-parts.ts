/**
 * File parts: finds the files in a recorded call, for a multipart upload.
 *
 * Telegraf describes a file on disk as `{ source: "path" }`. A file that was never on disk is `{
 * base64: "…" }` (kit/text-file.ts) and exists only in the queue. A top-level file is uploaded
 * under its own field name, a file inside `media` under a name that `attach://` refers to. Source:
 * Bot API, "Sending files" and InputMedia.
 */
import type { Json, JsonObject } from "../../core/message.ts";

export interface FilePart {
  readonly field: string;
  readonly content: FileContent;
  readonly filename: string | undefined;
}

/** Where the file's bytes are: on disk or in the call. */
export type FileContent = { readonly source: string } | { readonly base64: string };

/** @returns the call's fields with references instead of files, and the files they refer to. */
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
      files.push({ field, content: object, filename: filenameOf(object) });
      return `attach://${field}`;
    }
    return Object.fromEntries(Object.entries(object).map(([name, inner]) => [name, attach(inner)]));
  };
  const fields: Record<string, Json> = {};
  for (const [name, value] of Object.entries(payload)) {
    if (isFile(value)) files.push({ field: name, content: value, filename: filenameOf(value) });
    else fields[name] = mayHoldFiles(name) ? attach(value) : value;
  }
  return { fields, files };
}

/** Whether `value` is a file to upload. */
function isFile(value: Json): value is FileContent & JsonObject {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const { base64, source } = value as JsonObject;
  return typeof source === "string" || typeof base64 === "string";
}

/** Fields whose objects may hold files: `media`, `sticker`, `stickers`. */
function mayHoldFiles(field: string): boolean {
  return field === "media" || field.startsWith("sticker");
}

function filenameOf(file: JsonObject): string | undefined {
  return typeof file["filename"] === "string" ? file["filename"] : undefined;
}
