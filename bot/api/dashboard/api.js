/** API: calls the bot with the token that was typed; the token is forgotten with this tab. */

const tokenKey = "operator-token";
/** Longer than the bot itself may take for an answer. */
const deadlineMs = 8_000;

/** The bot refused, or did not answer (status 0). */
export class ApiError extends Error {
  constructor(status, { cause, code = "NO_ANSWER", hint, message = "no answer" } = {}) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.hint = hint;
  }

  get needsToken() {
    return this.status === 401 || (this.status === 403 && this.code === "FORBIDDEN");
  }
}

export class Api {
  #tokenGiven;

  /** @param tokenGiven Called when a token was typed, or forgotten. */
  constructor(tokenGiven) {
    this.#tokenGiven = tokenGiven;
  }

  get token() {
    return sessionStorage.getItem(tokenKey) ?? undefined;
  }

  setToken(token) {
    if (token) sessionStorage.setItem(tokenKey, token);
    else sessionStorage.removeItem(tokenKey);
    this.#tokenGiven();
  }

  get headers() {
    return this.token ? { authorization: `Bearer ${this.token}` } : {};
  }

  /** The `data` of an answer, also with status 503, which an unhealthy bot answers. */
  async ask(path) {
    return this.#call("GET", path);
  }

  async act(path, body = {}, method = "POST") {
    return this.#call(method, path, method === "DELETE" ? undefined : body);
  }

  async #call(method, path, body) {
    let response;
    let answer;
    try {
      response = await fetch(path, {
        method,
        headers: { ...this.headers, ...(body && { "content-type": "application/json" }) },
        ...(body && { body: JSON.stringify(body) }),
        cache: "no-store",
        signal: AbortSignal.timeout(deadlineMs),
      });
      answer = await response.json();
    } catch (error) {
      throw new ApiError(response?.status ?? 0, { message: error.message, cause: error });
    }
    if (answer?.data !== undefined) return answer.data;
    throw new ApiError(response.status, answer?.error);
  }
}
