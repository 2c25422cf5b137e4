/** File store: keeps the latest uploaded or linked files by file id. */
import { createHash } from "node:crypto";
import type { UploadedFile } from "../http/body.ts";

export interface StoredFile {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_size: number;
  readonly fileName: string;
  readonly path: string;
  /** Undefined when the file was named by an address, because nothing is fetched. */
  readonly content: Buffer | undefined;
}

const filesMax = 5_000;
const bytesMax = 256 * 2 ** 20;
/** Size reported for a file that was not fetched. */
const unknownSizeBytes = 1_024;

export class FileStore {
  readonly #onForgotten: (file: StoredFile) => void;
  readonly #files = new Map<string, StoredFile>();
  readonly #byPath = new Map<string, StoredFile>();
  #bytes = 0;
  #numbers = 0;

  /** @param onForgotten Called with a file that had to make room. */
  constructor(onForgotten: (file: StoredFile) => void) {
    this.#onForgotten = onForgotten;
  }

  get(fileId: string): StoredFile | undefined {
    return this.#files.get(fileId);
  }

  at(path: string): StoredFile | undefined {
    return this.#byPath.get(path);
  }

  upload(folder: string, file: UploadedFile): StoredFile {
    return this.#add(folder, file.fileName, file.content, file.content.length);
  }

  /** Stores a file on the web by its address, without fetching it. */
  link(folder: string, url: URL): StoredFile {
    const fileName = url.pathname.split("/").at(-1) ?? "";
    return this.#add(folder, fileName, undefined, unknownSizeBytes);
  }

  #add(
    folder: string,
    fileName: string,
    content: Buffer | undefined,
    sizeBytes: number,
  ): StoredFile {
    const number = this.#numbers++;
    const digest = createHash("sha256").update(`${folder}/${number}`).digest("base64url");
    const extension = /\.[A-Za-z0-9]{1,8}$/.exec(fileName)?.[0] ?? "";
    const file: StoredFile = {
      file_id: `AgAC${digest}${digest.slice(0, 12)}`,
      file_unique_id: `AQAD${digest.slice(0, 11)}`,
      file_size: sizeBytes,
      fileName,
      path: `${folder}/file_${number}${extension}`,
      content,
    };
    this.#files.set(file.file_id, file);
    this.#byPath.set(file.path, file);
    this.#bytes += content?.length ?? 0;
    while (this.#files.size > filesMax || this.#bytes > bytesMax) this.#forgetOldest();
    return file;
  }

  #forgetOldest(): void {
    const oldest = this.#files.values().next();
    if (oldest.done) return;
    this.#files.delete(oldest.value.file_id);
    this.#byPath.delete(oldest.value.path);
    this.#bytes -= oldest.value.content?.length ?? 0;
    this.#onForgotten(oldest.value);
  }
}
