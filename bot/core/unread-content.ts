/** Unread content: streams and files that are handed over now and read later. */
import { createReadStream } from "node:fs";
import { Stream } from "node:stream";

/** Keeps a stream that fails before it is read from ending the process; the failure is found when it is read. */
export function holdFailure(content: unknown): void {
  if (content instanceof Stream) content.on("error", () => {});
}

/** The file at a path, opened when it is read: a failure finds its reader, and nobody leaves it open. */
export async function* contentAt(path: string): AsyncIterable<Uint8Array> {
  yield* createReadStream(path);
}
