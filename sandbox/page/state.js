/** State: what is on the screen, and how the page asks the sandbox. */
export const pick = (id) => document.getElementById(id);

export const state = {
  /** The bot whose chats are shown. */
  botId: undefined,
  /** Every bot, as the sandbox describes it. */
  bots: [],
  chats: [],
  users: new Map(),
  /** The chat on the screen, by `keyOf`, and what the sandbox calls it. */
  chatKey: undefined,
  chatId: undefined,
  connectionId: undefined,
  /** The user who speaks in a group or in a business chat. */
  speakerId: undefined,
  unread: new Map(),
  pressed: new Map(),
  /** The topic on the screen; undefined shows all of them. */
  topic: undefined,
  /** What stands under the messages of the chat on the screen. */
  reactions: new Map(),
  /** The speaker's own votes and reactions, which the bot's messages do not tell. */
  votes: new Map(),
  own: new Map(),
  sequence: 0,
};

export async function operate(name, request = {}) {
  const bot = state.botId === undefined ? {} : { botId: state.botId };
  const response = await fetch(`/sandbox/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...bot, ...request }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error ?? response.statusText);
  return body;
}

/** Tells chats apart: a business account's chat has the same id as the bot's own with that customer. */
export function keyOf(chatId, connectionId) {
  return connectionId === undefined ? String(chatId) : `${connectionId}:${chatId}`;
}

export function keyOfSummary({ business, chat }) {
  return keyOf(chat.id, business?.connectionId);
}

export function summary() {
  return state.chats.find((one) => keyOfSummary(one) === state.chatKey);
}

/** Whether the person talks to the bot alone, and is named by the chat. */
export function isOwnChat() {
  return state.chatId > 0 && state.connectionId === undefined;
}

export function speaker() {
  return isOwnChat() ? state.chatId : state.speakerId;
}

/** The chat on the screen, as operations name it. */
export function chatPlace() {
  const { chatId, connectionId } = state;
  return connectionId === undefined ? { chatId } : { chatId, connectionId };
}

/** Who writes where. */
export function place() {
  const topic = state.topic === undefined ? {} : { threadId: state.topic };
  return { userId: speaker(), ...chatPlace(), ...topic };
}

export function currentBot() {
  return state.bots.find(({ id }) => id === state.botId);
}
