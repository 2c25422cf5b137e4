/** Text file: a file made of a text, to be sent like any other. */
import type { InputFile } from "telegraf/types";

export function textFile(text: string, filename: string): InputFile {
  return { source: Buffer.from(text), filename };
}
