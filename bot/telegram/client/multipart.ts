/**
 * Multipart: a form with files as a body of known length, of which only a chunk is in memory at a time.
 *
 * Source: RFC 7578, and for the names the encoding of multipart/form-data in the HTML Standard.
 */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { JsonObject } from "../../core/message.ts";

export interface MultipartFile {
  readonly field: string;
  readonly filename: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export function createMultipart(fields: JsonObject, files: readonly MultipartFile[]) {
  const boundary = `----${randomUUID()}`;
  const texts = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return Buffer.from(`--${boundary}\r\n${disposition(name)}\r\n\r\n${text}\r\n`);
  });
  const parts = files.map((file) => {
    const head = `${disposition(file.field)}; filename="${escaped(file.filename)}"`;
    const type = "content-type: application/octet-stream";
    return { ...file, head: Buffer.from(`--${boundary}\r\n${head}\r\n${type}\r\n\r\n`) };
  });
  const end = Buffer.from(`--${boundary}--\r\n`);
  async function* body(): AsyncIterable<Uint8Array> {
    yield* texts;
    for (const { content, head } of parts) {
      yield head;
      yield* content;
      yield Buffer.from("\r\n");
    }
    yield end;
  }
  const ofTexts = texts.reduce((sum, text) => sum + text.length, 0);
  const ofFiles = parts.reduce((sum, { bytes, head }) => sum + head.length + bytes + 2, 0);
  return {
    headers: {
      "content-type": `multipart/form-data; boundary=${boundary}`,
      "content-length": String(ofTexts + ofFiles + end.length),
    },
    body: Readable.from(body(), { objectMode: false }),
  };
}

function disposition(name: string): string {
  return `content-disposition: form-data; name="${escaped(name)}"`;
}

function escaped(name: string): string {
  return name.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
}
