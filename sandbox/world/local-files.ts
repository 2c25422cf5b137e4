/**
 * Local files: the disk of a Bot API server in `--local` mode.
 *
 * There `getFile` answers with an absolute path in place of an address, and bots name files of the same
 * machine as `file:///…`. A file is written when it is first asked for, and removed when it is forgotten.
 * Source: tdlib/telegram-bot-api, README and Client.cpp.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { UploadedFile } from "../http/body.ts";
import type { StoredFile } from "./file-store.ts";

/** The sandbox keeps files in memory, so it takes no larger ones, unlike Telegram's 2,000 MB. */
const bytesMax = 52 * 2 ** 20;

export class LocalFiles {
  readonly #directory: string;

  /** @param directory Where each bot gets a folder with the name of its token. */
  constructor(directory: string) {
    this.#directory = resolve(directory);
  }

  /** The absolute path of a file, which is there unless it was named by an address. */
  pathOf(token: string, { content, path }: StoredFile): string {
    const absolute = this.#absolute(token, path);
    if (content && !existsSync(absolute)) {
      mkdirSync(dirname(absolute), { recursive: true });
      writeFileSync(absolute, content);
    }
    return absolute;
  }

  remove(token: string, { path }: StoredFile): void {
    rmSync(this.#absolute(token, path), { force: true });
  }

  /** The file at a `file:` address; undefined when there is none. */
  read(address: string): UploadedFile | undefined {
    try {
      const path = fileURLToPath(address);
      const status = statSync(path);
      if (!status.isFile() || status.size > bytesMax) return undefined;
      return { fileName: basename(path), content: readFileSync(path) };
    } catch {
      // To the bot a file that is missing, or that cannot be read, is a wrong name.
      return undefined;
    }
  }

  #absolute(token: string, path: string): string {
    return join(this.#directory, token, path);
  }
}
