/** File store: keeps the contents of files that recorded calls will upload. */

/**
 * A stored file, as a recorded call refers to it. The call is sealed in the database, and with it the
 * key: without the call nobody can read the file.
 */
export interface StoredFile {
  /** 64 hexadecimal digits; the same for the same content while one process runs. */
  readonly name: string;
  /** Opens the file; base64. */
  readonly key: string;
  readonly bytes: number;
}

export type FileContent = Uint8Array | AsyncIterable<Uint8Array | string>;

export interface PutOptions {
  /** @throws FileTooLargeError beyond so many bytes. */
  readonly bytesMax: number;
  /** Gives the file up. */
  readonly signal: AbortSignal;
}

export interface FileStore {
  /**
   * Stores a file. It is on disk when this resolves, and stays while the store's messages and dead
   * letters name it (`NewMessage.files`).
   *
   * @throws {FileTooLargeError | FilesFullError | StorageFullError | FileUnreadableError}
   */
  put(content: FileContent, options: PutOptions): Promise<StoredFile>;
  /** @throws {FileGoneError} when it is missing or damaged; also while the content is read. */
  open(file: StoredFile): Promise<AsyncIterable<Uint8Array>>;
}

/** Keeps stored files, sealed, where every process that may make the call can read them. */
export interface FileDepot {
  /** It is durable when this resolves. Storing the same file again renews it. */
  save(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Ends early, or at once, when the file is not there as a whole. */
  load(name: string): AsyncIterable<Uint8Array>;
  /** Removes what was stored before this instant and is named by no message and no dead letter. */
  forget(storedBeforeEpochMs: number): Promise<void>;
}
