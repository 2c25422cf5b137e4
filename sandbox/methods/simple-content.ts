/** Simple content: messages made of a few parameters, such as locations, contacts and dice. */
import { badRequest } from "../http/answer.ts";
import { type Random, randomInteger } from "../random.ts";
import type { MessageContent } from "../world/account.ts";
import type { Call, Effect } from "./call.ts";
import { prepareMessage } from "./sending.ts";

const livePeriodForever = 0x7fffffff;

export function sendLocation(call: Call): Effect {
  return prepareMessage(call, { content: { location: readLocation(call) } });
}

export function sendVenue(call: Call): Effect {
  const { parameters } = call;
  const { latitude, longitude } = readLocation(call);
  const title = parameters.required("title");
  const address = parameters.required("address");
  const location = { latitude, longitude };
  const venue = { location, title, address, ...texts(call, venueFields) };
  // A venue is also a location: Telegram sends both fields, for old clients.
  return prepareMessage(call, { content: { location, venue } });
}

const venueFields = ["foursquare_id", "foursquare_type", "google_place_id", "google_place_type"];

/** Those of the parameters that are not empty. */
function texts({ parameters }: Call, names: readonly string[]): Readonly<Record<string, string>> {
  const given = names.map((name) => [name, parameters.text(name)] as const);
  return Object.fromEntries(given.filter(([, text]) => text !== ""));
}

/** The place, and how long and how exactly it is live. */
export function readLocation({ parameters }: Call): Readonly<Record<string, number>> {
  const coordinate = (name: string, max: number) => {
    const text = parameters.text(name).trim();
    if (text === "") throw badRequest(`${name} is empty`);
    const value = Number(text);
    if (!Number.isFinite(value) || Math.abs(value) > max) throw badRequest(`bad ${name}`);
    return value;
  };
  const latitude = coordinate("latitude", 90);
  const longitude = coordinate("longitude", 180);
  const period = parameters.integer("live_period");
  const lasts = (period >= 60 && period <= 86_400) || period === livePeriodForever;
  if (period !== 0 && !lasts) throw badRequest("wrong live location period specified");
  const accuracy = Number(parameters.text("horizontal_accuracy")) || 0;
  const heading = parameters.integer("heading");
  const radius = parameters.integer("proximity_alert_radius");
  return {
    latitude,
    longitude,
    ...(accuracy > 0 ? { horizontal_accuracy: Math.min(accuracy, 1_500) } : {}),
    ...(period > 0 ? { live_period: period } : {}),
    ...(heading > 0 ? { heading: Math.min(heading, 360) } : {}),
    ...(radius > 0 ? { proximity_alert_radius: Math.min(radius, 100_000) } : {}),
  };
}

export function sendContact(call: Call): Effect {
  const phone_number = call.parameters.required("phone_number");
  const first_name = call.parameters.required("first_name");
  const contact = { phone_number, first_name, ...texts(call, ["last_name", "vcard"]) };
  return prepareMessage(call, { content: { contact } });
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
  const content = diceContent(call.around.random, call.parameters.text("emoji") || "🎲");
  if (!content) throw badRequest("wrong dice emoji");
  return prepareMessage(call, { content });
}

/** A throw; undefined when the emoji is none that is thrown. */
export function diceContent(random: Random, emoji: string): MessageContent | undefined {
  const sides = diceSides[emoji];
  return sides ? { dice: { emoji, value: randomInteger(random, 1, sides) } } : undefined;
}
