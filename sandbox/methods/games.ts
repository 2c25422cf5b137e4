/** Games: methods that send a game and keep its scores. Source: Bot API, Games. */
import { badRequest } from "../http/answer.ts";
import type { Message } from "../world/objects.ts";
import { type Call, type Effect, messageIn, roomFor, userId, userWith } from "./call.ts";
import { prepareEdit } from "./editing.ts";
import { prepareMessage } from "./sending.ts";

const neighbours = 2;

/** The sandbox knows a game of any name; BotFather has registered them all. */
export function sendGame(call: Call): Effect {
  const name = call.parameters.required("game_short_name");
  const photo = [
    { file_id: `AgACgame${name.length}`, file_unique_id: "AQADgame", width: 640, height: 360 },
  ];
  const game = { title: name, description: `The game ${name}`, photo };
  const play = { inline_keyboard: [[{ text: `Play ${name}`, callback_game: {} }]] };
  return prepareMessage(call, { content: { game }, check: () => checkName(name) }, play);
}

function checkName(name: string): void {
  if (!/^\w{1,64}$/.test(name)) throw badRequest("GAME_SHORTNAME_INVALID");
}

/** Scores are kept by message, as at Telegram they are by chat and game. */
export function setGameScore(call: Call): Effect {
  const { account, parameters } = call;
  const id = userId(call);
  const score = parameters.integer("score");
  const force = parameters.boolean("force");
  const silent = parameters.boolean("disable_edit_message");
  return prepareEdit(
    call,
    (message) => {
      const game = gameIn(message);
      userWith(call, id);
      const key = scoresKey(message);
      const scores = (account.settings.get(key) as Map<number, number> | undefined) ?? new Map();
      if (score < 0) throw badRequest("SCORE_INVALID");
      const before = scores.get(id);
      if (!force && before !== undefined && score <= before) {
        throw badRequest("BOT_SCORE_NOT_MODIFIED");
      }
      account.settings.set(key, scores.set(id, score));
      return silent ? message : { ...message, game: { ...game, text: board(call, scores) } };
    },
    { what: "message to set game score", keepsMarkup: true, mayRepeat: true },
  );
}

function board(call: Call, scores: ReadonlyMap<number, number>): string {
  return ranking(call, scores)
    .map(({ position, user, score }) => `${position}. ${user.first_name} – ${score}`)
    .join("\n");
}

/** The user's place and the two on each side of it. */
export function getGameHighScores(call: Call): unknown {
  const id = userId(call);
  const { account, parameters } = call;
  const place =
    parameters.text("chat_id") === "" && account.inline.place(parameters.text("inline_message_id"));
  if (place === undefined) throw badRequest("MESSAGE_ID_INVALID");
  const room = place ? account.rooms.get(place.chatId) : roomFor(call, "read");
  const message = place
    ? room?.message(place.messageId)
    : room && messageIn(call, room, "", "message to get game high scores");
  if (!message) throw badRequest("MESSAGE_ID_INVALID");
  gameIn(message);
  const scores = (account.settings.get(scoresKey(message)) as Map<number, number>) ?? new Map();
  const all = ranking(call, scores);
  const own = all.findIndex(({ user }) => user.id === id);
  const from = Math.max(0, own - neighbours);
  return own < 0 ? all.slice(0, 3) : all.slice(from, own + neighbours + 1);
}

function ranking(call: Call, scores: ReadonlyMap<number, number>) {
  return [...scores]
    .sort((a, b) => b[1] - a[1])
    .map(([id, score], index) => ({ position: index + 1, user: userWith(call, id), score }));
}

function gameIn(message: Message): object {
  const { game } = message;
  if (typeof game !== "object" || game === null) throw badRequest("MESSAGE_ID_INVALID");
  return game;
}

function scoresKey({ chat, message_id }: Message): string {
  return `scores:${chat.id}:${message_id}`;
}
