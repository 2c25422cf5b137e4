/** Text file: a file made of a text, to be sent like any other. */
import type { InputFile } from "telegraf/types";

/** It is recorded with the call, and counts into the call's length of at most 1 MiB as base64. */
export function textFile(text: string, filename: string): InputFile {
  const file = { base64: Buffer.from(text).toString("base64"), filename };
  // Telegraf hands on what it is given; its type knows only files that it would read itself.
  return file as unknown as InputFile;
}
