/**
 * Sealed file: writes and reads the content of one file, encrypted with AES-256-GCM.
 *
 * Format: nonce (12) | tag (16) | sealed file key (32) | chunks: ciphertext (at most 64 KiB) | tag (16).
 * A random key seals the chunks, each with its number as nonce. That key is sealed in the header with
 * another one, made of the content's hash, which is known only at the end: so a stream is written once and
 * is never in memory as a whole. The reader knows the length, so a file that was cut is noticed.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { FileContent, StoredFile } from "../../core/file-store.ts";

const algorithm = "aes-256-gcm";
const gcm = { authTagLength: 16 };
const chunkBytes = 65_536;
const keyAt = 28;
const headerBytes = 60;

/** Length of the file of a content. */
export function sealedBytes(bytes: number): number {
  return headerBytes + bytes + gcm.authTagLength * Math.ceil(bytes / chunkBytes);
}

/**
 * Writes a content to a new file and syncs it.
 *
 * @param secret Content of the same hash gets the same name and key under the same secret, and nobody
 *   who has only the content can tell the name.
 * @param admit Called with the bytes so far; throws to end the writing.
 */
export async function writeSealed(
  path: string,
  content: FileContent,
  secret: Buffer,
  admit: (bytes: number) => void,
): Promise<StoredFile> {
  const file = await open(path, "wx", 0o600);
  try {
    const fileKey = randomBytes(32);
    const hash = createHash("sha256");
    let bytes = 0;
    let index = 0;
    let at = headerBytes;
    for await (const chunk of chunksOf(content)) {
      bytes += chunk.length;
      admit(bytes);
      hash.update(chunk);
      const cipher = createCipheriv(algorithm, fileKey, nonceOf(index++), gcm);
      const sealed = Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
      await file.write(sealed, 0, sealed.length, at);
      at += sealed.length;
    }
    const key = createHmac("sha256", secret).update(hash.digest()).digest();
    const nonce = randomBytes(12);
    const cipher = createCipheriv(algorithm, key, nonce, gcm);
    const sealedKey = Buffer.concat([cipher.update(fileKey), cipher.final()]);
    const header = Buffer.concat([nonce, cipher.getAuthTag(), sealedKey]);
    await file.write(header, 0, header.length, 0);
    await file.sync();
    const name = createHmac("sha256", key).update("name").digest("hex");
    return { name, key: key.toString("base64"), bytes };
  } finally {
    await file.close();
  }
}

/** Opens a file and reads its content chunk by chunk. @throws when it is missing or was changed. */
export async function* readSealed(path: string, stored: StoredFile): AsyncIterable<Uint8Array> {
  const file = await open(path, "r");
  try {
    const fileKey = await openHeader(file, stored);
    let left = stored.bytes;
    for (let index = 0, at = headerBytes; left > 0; index++) {
      const length = Math.min(left, chunkBytes);
      const sealed = await readAt(file, at, length + gcm.authTagLength);
      const decipher = createDecipheriv(algorithm, fileKey, nonceOf(index), gcm);
      decipher.setAuthTag(sealed.subarray(length));
      yield Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()]);
      at += sealed.length;
      left -= length;
    }
  } finally {
    await file.close();
  }
}

/** Checks a file's length and header without reading its content. @throws when they do not fit. */
export async function checkSealed(path: string, stored: StoredFile): Promise<void> {
  const file = await open(path, "r");
  try {
    await openHeader(file, stored);
  } finally {
    await file.close();
  }
}

async function openHeader(file: FileHandle, { bytes, key }: StoredFile): Promise<Buffer> {
  const { size } = await file.stat();
  if (size !== sealedBytes(bytes)) throw new Error(`it has ${size} bytes`);
  const header = await readAt(file, 0, headerBytes);
  const nonce = header.subarray(0, 12);
  const decipher = createDecipheriv(algorithm, Buffer.from(key, "base64"), nonce, gcm);
  decipher.setAuthTag(header.subarray(12, keyAt));
  return Buffer.concat([decipher.update(header.subarray(keyAt)), decipher.final()]);
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  if (bytesRead < length) throw new Error("it ends too early");
  return buffer;
}

function nonceOf(index: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 8);
  return nonce;
}

/** The content in chunks of 64 KiB; the last one is shorter. */
async function* chunksOf(content: FileContent): AsyncIterable<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of content instanceof Uint8Array ? [content] : content) {
    const given = typeof part === "string" ? Buffer.from(part) : bufferOf(part);
    const all = rest.length === 0 ? given : Buffer.concat([rest, given]);
    const whole = all.length - (all.length % chunkBytes);
    for (let at = 0; at < whole; at += chunkBytes) yield all.subarray(at, at + chunkBytes);
    rest = all.subarray(whole);
  }
  if (rest.length > 0) yield rest;
}

/** @throws {TypeError} for a part that is no bytes, such as an object of a stream in object mode. */
function bufferOf(part: unknown): Buffer {
  if (!(part instanceof Uint8Array)) throw new TypeError("a part of it is neither bytes nor text");
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
}
