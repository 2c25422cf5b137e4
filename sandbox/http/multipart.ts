/**
 * Multipart: the parts of a `multipart/form-data` body.
 *
 * The whole body is in memory; the listener limits its size.
 */
import { UnacceptableBodyError, type UploadedFile } from "./body.ts";

export interface MultipartBody {
  readonly fields: readonly (readonly [string, string])[];
  readonly files: readonly (readonly [string, UploadedFile])[];
}

const filesMax = 50;
const partHeaderBytesMax = 16 * 2 ** 10;
const headerEnd = Buffer.from("\r\n\r\n");

/** Throws `UnacceptableBodyError` 400 for bad syntax, 413 for too many files. */
export function parseMultipart(contentType: string, body: Buffer): MultipartBody {
  const boundary = boundaryOf(contentType);
  const delimiter = Buffer.from(`--${boundary}`);
  const fields: [string, string][] = [];
  const files: [string, UploadedFile][] = [];
  let at = body.indexOf(delimiter);
  if (at < 0) throw bad("no boundary in the body");
  at += delimiter.length;
  while (!isLast(body, at)) {
    if (body[at] !== 13 || body[at + 1] !== 10) throw bad("no line end after a boundary");
    const headersEnd = body.indexOf(headerEnd, at);
    if (headersEnd < 0 || headersEnd - at > partHeaderBytesMax) throw bad("headers without end");
    const disposition = dispositionOf(body.toString("utf8", at + 2, headersEnd));
    const start = headersEnd + headerEnd.length;
    const end = body.indexOf(`\r\n--${boundary}`, start, "latin1");
    if (end < 0) throw bad("a part without end");
    const content = body.subarray(start, end);
    if (disposition.fileName === undefined) {
      fields.push([disposition.name, content.toString("utf8")]);
    } else {
      files.push([disposition.name, { fileName: disposition.fileName, content }]);
      if (files.length > filesMax) throw new UnacceptableBodyError(413, "too many files");
    }
    at = end + 2 + delimiter.length;
  }
  return { fields, files };
}

function isLast(body: Buffer, at: number): boolean {
  return body[at] === 45 && body[at + 1] === 45;
}

function boundaryOf(contentType: string): string {
  const match = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? "";
  if (boundary === "" || boundary.length > 70) throw bad("no boundary in the header");
  return boundary;
}

function dispositionOf(headers: string): { name: string; fileName: string | undefined } {
  const line = headers
    .split("\r\n")
    .find((header) => header.toLowerCase().startsWith("content-disposition:"));
  if (line === undefined) throw bad("a part without Content-Disposition");
  const name = attributeOf(line, "name");
  if (name === undefined) throw bad("a part without name");
  return { name, fileName: attributeOf(line, "filename") };
}

function attributeOf(line: string, key: string): string | undefined {
  const match = new RegExp(`;\\s*${key}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, "i").exec(line);
  return (match?.[1] ?? match?.[2])?.replace(/\\(.)/g, "$1");
}

function bad(message: string): UnacceptableBodyError {
  return new UnacceptableBodyError(400, message);
}
