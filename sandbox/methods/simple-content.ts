/** Simple content: messages made of a few parameters, such as locations, contacts, dice and polls. */
import { badRequest } from "../http/answer.ts";
import { randomId, randomInteger } from "../random.ts";
import type { Call, Effect } from "./call.ts";
import { prepareMessage } from "./sending.ts";

export function sendLocation(call: Call): Effect {
  return prepareMessage(call, { content: { location: location(call) } });
}

export function sendVenue(call: Call): Effect {
  const title = call.parameters.required("title");
  const address = call.parameters.required("address");
  return prepareMessage(call, { content: { venue: { location: location(call), title, address } } });
}

function location({ parameters }: Call) {
  const coordinate = (name: string) => {
    const text = parameters.text(name);
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value)) {
      throw badRequest(`bad ${name}`);
    }
    return value;
  };
  return { latitude: coordinate("latitude"), longitude: coordinate("longitude") };
}

export function sendContact(call: Call): Effect {
  const phone_number = call.parameters.required("phone_number");
  const first_name = call.parameters.required("first_name");
  return prepareMessage(call, { content: { contact: { phone_number, first_name } } });
}

const diceSides: Readonly<Record<string, number>> = {
  "🎲": 6,
  "🎯": 6,
  "🎳": 6,
  "🏀": 5,
  "⚽": 5,
  "🎰": 64,
};

export function sendDice(call: Call): Effect {
  const emoji = call.parameters.text("emoji") || "🎲";
  const sides = diceSides[emoji];
  if (!sides) throw badRequest("wrong dice emoji");
  const value = randomInteger(call.around.random, 1, sides);
  return prepareMessage(call, { content: { dice: { emoji, value } } });
}

export function sendPoll(call: Call): Effect {
  const { parameters } = call;
  const question = parameters.text("question");
  if (question === "") throw badRequest("poll question must be non-empty");
  const options = parameters.json("options", "can't parse options JSON object");
  if (!Array.isArray(options)) throw badRequest("expected an Array of String as options");
  const texts = options.map((option: unknown) =>
    typeof option === "object" && option !== null && "text" in option ? option.text : option,
  );
  const poll = {
    id: randomId(call.around.random),
    question,
    options: texts.map((text) => ({ text: String(text), voter_count: 0 })),
    total_voter_count: 0,
    is_closed: false,
    is_anonymous:
      parameters.raw("is_anonymous") === undefined || parameters.boolean("is_anonymous"),
    type: parameters.text("type") || "regular",
    allows_multiple_answers: parameters.boolean("allows_multiple_answers"),
  };
  return prepareMessage(call, { content: { poll } });
}
