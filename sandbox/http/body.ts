/** Body: what the readers of a request's body share. */

export interface UploadedFile {
  /** The name the client gave it; may be empty. */
  readonly fileName: string;
  readonly content: Buffer;
}

/** The body cannot be taken: answered with an empty body and this status, connection closed. */
export class UnacceptableBodyError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
