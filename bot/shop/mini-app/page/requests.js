/**
 * Requests: asks and acts, again and again until there is an answer.
 *
 * An act has an id that is made once for each press. The server does it once under this id, so sending it again
 * is always right, also after the connection broke.
 */
import { initData } from "./telegram.js";

/** The server will never answer this request otherwise. */
export class RefusedError extends Error {}

/** Telegram's signature no longer counts: the page has to be opened again. */
export class NotSignedError extends RefusedError {}

const finalStatuses = [400, 404, 413];

const pauseMs = 1_000;
const pauseMsMax = 5_000;
const pendingName = "shop-pending-act";

/** Relative, because a proxy in front of the bot may have changed the path. */
const address = (path) => new URL(path, document.baseURI);

export async function ask(name, data = null, onTrouble = () => {}) {
  return until(async () => {
    const { body, status } = await send("POST", `ask/${name}`, data);
    return status === 200 ? { answer: body } : undefined;
  }, onTrouble);
}

/** @returns `{ state, answer }`, the state being answered, refused or failed. */
export async function act(name, id, data, onTrouble) {
  remember(id);
  const ended = await until(async () => {
    const { body, status } = await send("POST", `act/${name}/${id}`, data);
    return status === 200 ? { answer: body } : undefined;
  }, onTrouble);
  remember(null);
  return ended;
}

/** What has become of the act that this page, or the one before it, has not seen answered. */
export async function unansweredAct() {
  const id = remembered();
  if (id === null) return undefined;
  const { body, status } = await send("GET", `act/${id}`);
  if (status === 202) return undefined;
  remember(null);
  return status === 200 ? body : undefined;
}

async function send(method, path, data) {
  const response = await fetch(address(path), {
    method,
    headers: { authorization: `tma ${initData}`, "content-type": "application/json" },
    ...(method === "POST" && { body: JSON.stringify(data) }),
  });
  if (response.status === 401) throw new NotSignedError();
  const body = await response.json();
  const isState = body?.state !== undefined;
  if (finalStatuses.includes(response.status) && !isState) throw new RefusedError(body.error);
  return { body, status: response.status };
}

/** Tries until there is an answer. @param onTrouble Called before each further try. */
async function until(attempt, onTrouble) {
  for (let waitMs = pauseMs; ; waitMs = Math.min(waitMs + pauseMs, pauseMsMax)) {
    try {
      const found = await attempt();
      if (found) return found.answer;
    } catch (error) {
      // Anything else is a connection that broke, or a proxy's page.
      if (error instanceof RefusedError) throw error;
    }
    onTrouble();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

function remember(id) {
  try {
    if (id === null) localStorage.removeItem(pendingName);
    else localStorage.setItem(pendingName, id);
  } catch {
    // Without a store the chat still tells what became of the act.
  }
}

function remembered() {
  try {
    return localStorage.getItem(pendingName);
  } catch {
    // As above.
    return null;
  }
}
