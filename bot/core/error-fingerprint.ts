/**
 * Error fingerprint: tells which errors are the same.
 *
 * Two errors are the same when code and message are, with everything that changes from case to case
 * (numbers, ids, addresses, quoted parts) left out.
 */
import { createHash } from "node:crypto";

/** To be raised whenever the rules below change: old and new groups must not be mixed. */
const fingerprintVersion = 1;
const fingerprintLength = 12;

/** @returns twelve hexadecimal digits. */
export function fingerprintOf(error: { readonly code: string; readonly message: string }): string {
  const text = `${fingerprintVersion}\n${error.code}\n${withoutParticulars(error.message)}`;
  return createHash("sha256").update(text).digest("hex").slice(0, fingerprintLength);
}

/** The part of a message that is the same every time. */
export function withoutParticulars(message: string): string {
  return message
    .replace(/\b[a-z]+:\/\/\S+/gi, "<address>")
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, "<quoted>")
    .replace(/(?:\/[\w.-]+){2,}/g, "<path>")
    .replace(/\b[0-9a-f]{8,}\b/gi, "<id>")
    .replace(/\d+(?:\.\d+)?/g, "<n>");
}
