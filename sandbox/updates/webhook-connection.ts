/** Webhook connection: one kept-alive connection to a webhook, for one update at a time. */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  STATUS_CODES,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface WebhookTarget {
  readonly url: string;
  readonly secretToken: string;
  /** Empty: the host name is resolved. */
  readonly ipAddress: string;
}

/** A complete answer. */
export interface WebhookResponse {
  readonly status: number;
  readonly reason: string;
  /** Whole seconds; 0 when the header is missing or is not a number. */
  readonly retryAfterS: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** There is no complete answer. `getWebhookInfo` shows the message. */
export class WebhookUnreachableError extends Error {
  override readonly name = "WebhookUnreachableError";
}

/** Starts a timer. @returns a function that cancels it. */
export type ArmTimeout = (onTimeout: () => void) => () => void;

const answerBytesMax = 2 ** 20;

/** The operating system's texts for its error codes, which Telegram repeats. */
const systemTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: "Connection refused",
  ECONNRESET: "Connection reset by peer",
  EHOSTUNREACH: "No route to host",
  ENETUNREACH: "Network is unreachable",
  ETIMEDOUT: "Connection timed out",
  EPIPE: "Broken pipe",
};

export class WebhookConnection {
  readonly #target: WebhookTarget;
  readonly #agent: HttpAgent;
  #reusable = true;

  constructor(target: WebhookTarget) {
    this.#target = target;
    const options = { keepAlive: true, maxSockets: 1 };
    const secure = target.url.startsWith("https:");
    this.#agent = secure ? new HttpsAgent(options) : new HttpAgent(options);
  }

  /** Whether another update may use it. */
  get reusable(): boolean {
    return this.#reusable;
  }

  close(): void {
    this.#reusable = false;
    this.#agent.destroy();
  }

  /**
   * Rejects with `WebhookUnreachableError`.
   *
   * @param armTimeout Called again for every piece of the answer.
   */
  post(body: string, armTimeout: ArmTimeout): Promise<WebhookResponse> {
    return new Promise((resolve, reject) => {
      const request = this.#open(body);
      const expired = () => request.destroy(new WebhookUnreachableError("Read timeout expired"));
      let calm = armTimeout(expired);
      const alive = () => {
        calm();
        calm = armTimeout(expired);
      };
      const fail = (error: Error) => {
        calm();
        this.#reusable = false;
        reject(translate(error));
      };
      request.on("error", fail);
      request.on("response", (response) => {
        alive();
        read(response, alive, fail, (content) => {
          calm();
          if (response.headers.connection === "close") this.#reusable = false;
          resolve(toResponse(response, content));
        });
      });
      request.end(body);
    });
  }

  #open(body: string): ClientRequest {
    const { ipAddress, secretToken } = this.#target;
    const url = new URL(this.#target.url);
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const userInfo = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    return send({
      method: "POST",
      agent: this.#agent,
      host: ipAddress || url.hostname.replace(/^\[|\]$/g, ""),
      ...(url.protocol === "https:" ? { servername: url.hostname } : {}),
      port: url.port || (url.protocol === "https:" ? 443 : 80),
      path: url.pathname + url.search,
      ...(url.username ? { auth: userInfo } : {}),
      headers: {
        host: url.host,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        connection: "keep-alive",
        "accept-encoding": "gzip, deflate",
        ...(secretToken ? { "x-telegram-bot-api-secret-token": secretToken } : {}),
      },
    });
  }
}

function read(
  response: IncomingMessage,
  onPiece: () => void,
  onFailure: (error: Error) => void,
  onEnd: (content: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= answerBytesMax) chunks.push(chunk);
    onPiece();
  });
  response.on("error", onFailure);
  response.on("end", () => {
    if (response.complete) onEnd(Buffer.concat(chunks));
    else onFailure(new WebhookUnreachableError("Connection closed"));
  });
}

function toResponse(response: IncomingMessage, body: Buffer): WebhookResponse {
  const status = response.statusCode ?? 0;
  const retryAfter = response.headers["retry-after"] ?? "";
  return {
    status,
    reason: response.statusMessage || (STATUS_CODES[status] ?? ""),
    retryAfterS: /^\d+$/.test(retryAfter) ? Number(retryAfter) : 0,
    contentType: response.headers["content-type"] ?? "",
    body,
  };
}

function translate(error: Error): WebhookUnreachableError {
  if (error instanceof WebhookUnreachableError) return error;
  const code = "code" in error ? String(error.code) : "";
  if (/SSL|TLS|CERT/.test(code)) return new WebhookUnreachableError(`SSL error {${code}}`);
  return new WebhookUnreachableError(systemTexts[code] ?? "Connection closed");
}
