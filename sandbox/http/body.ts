/** Body: types and errors that the readers of a request's body share. */

export interface UploadedFile {
  /** The name the client gave it; may be empty. */
  readonly fileName: string;
  readonly content: Buffer;
}

/** The body is refused. The answer has this status and no body, and the connection is closed. */
export class UnacceptableBodyError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
