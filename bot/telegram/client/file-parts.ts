/**
 * File parts: finds the files in a recorded call, for a multipart upload.
 *
 * A recorded file is `{ file: { name, key, bytes } }` in the file store, or `{ base64: "…" }` in the call
 * itself (context/recorded-files.ts). A top-level file is uploaded under its own field name, a file
 * deeper inside under a name that `attach://` refers to. Source: Bot API, "Sending files" and
 * InputMedia.
 */
import type { StoredFile } from "../../core/file-store.ts";
import type { Json, JsonObject } from "../../core/message.ts";

export interface FilePart {
  readonly field: string;
  readonly content: RecordedFile;
  readonly filename: string;
}

/** Where the file's bytes are: in the file store or in the call. */
export type RecordedFile = { readonly file: StoredFile } | { readonly base64: string };

/** Whether a call may have files. @param payload The call's fields as JSON text. */
export function mayHoldFile(payload: string): boolean {
  return payload.includes('"base64":') || payload.includes('"file":');
}

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
    else fields[name] = attach(value);
  }
  return { fields, files };
}

function isFile(value: Json): value is RecordedFile & JsonObject {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const { base64, file } = value as JsonObject;
  return typeof base64 === "string" || isStored(file);
}

function isStored(value: Json | undefined): boolean {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const { bytes, key, name } = value as JsonObject;
  return typeof bytes === "number" && typeof key === "string" && typeof name === "string";
}

function filenameOf({ filename }: JsonObject): string {
  return typeof filename === "string" ? filename : "file";
}
