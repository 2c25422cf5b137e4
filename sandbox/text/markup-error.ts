/** Markup error: an error of the entity parsers. Its text keeps the capital letter. */
import { type ApiError, badRequest } from "../http/answer.ts";

export function markupError(text: string): ApiError {
  return badRequest(`can't parse entities: ${text}`);
}

/** Telegram counts bytes of UTF-8 where JavaScript counts code units. */
export function byteOffset(text: string, index: number): number {
  return Buffer.byteLength(text.slice(0, index));
}
