/**
 * Workload: the actions of users, and what the bot owes them.
 *
 * Private chats use the shop's commands. Every chat also sends `/work`, a command of the simulation that
 * fails, hangs or kills on request, and names each of its effects and replies, so that the checker
 * knows exactly what is missing.
 */
import type { Random } from "../../bot/core/clock.ts";
import type { JsonObject } from "../../bot/core/message.ts";
import { pick } from "./weather.ts";

/** The behaviours of `/work`. */
export const workPlans = [
  "plain",
  "two-steps",
  "fails-once",
  "hangs-once",
  "throws",
  "kills",
  "later",
] as const;
export type WorkPlan = (typeof workPlans)[number];

export interface PlannedUpdate {
  readonly atMs: number;
  readonly updateId: number;
  readonly chat: string;
  readonly update: JsonObject;
  readonly effects: readonly string[];
  readonly replies: readonly string[];
  /** Whether its handler hangs the first time. */
  readonly hangs: boolean;
  /** The key of the later handler that it asks for. */
  readonly later: string | undefined;
}

const privateChats = [1, 2, 3];
const groupChat = -1_007;
const groupMember = 77;
const shopCommands = ["/start", "/help", "/balance"] as const;
const labels = { "/start": "greeting", "/help": "help", "/balance": "balance" } as const;
const actions = ["work", "work", "command", "buy"] as const;
const espressoMinor = 900;
/** Purchases that the welcome balance allows. */
const purchasesMax = 4;

export function planWorkload(random: Random, untilMs: number): readonly PlannedUpdate[] {
  return new Planner(random, untilMs).plan();
}

class Planner {
  readonly #random: Random;
  readonly #untilMs: number;
  readonly #planned: PlannedUpdate[] = [];
  readonly #lastReply = new Map<string, string>();
  readonly #welcomed = new Set<string>();
  readonly #purchases = new Map<string, number>();
  #updateId: number;
  #atMs: number;

  constructor(random: Random, untilMs: number) {
    this.#random = random;
    this.#untilMs = untilMs;
    // Sometimes people begin late, so that much is under way when the weather changes.
    this.#atMs = random() < 0.25 ? 0.7 * untilMs : 0;
    this.#updateId = 100_000_000 + Math.floor(random() * 900_000_000);
  }

  plan(): readonly PlannedUpdate[] {
    const count = 5 + Math.floor(this.#random() * 30);
    const meanMs = (this.#untilMs - this.#atMs) / count;
    for (let index = 0; index < count; index++) {
      this.#atMs += this.#random() * 2 * meanMs;
      // Update ids may have gaps.
      this.#updateId += this.#random() < 0.05 ? 1 + Math.floor(this.#random() * 1_000) : 1;
      const chat = pick(this.#random, [...privateChats, groupChat]);
      const kind = chat === groupChat ? "work" : pick(this.#random, actions);
      if (kind === "work") this.#work(chat, index);
      else if (kind === "command") this.#command(chat);
      else this.#buy(chat, index);
    }
    return this.#planned;
  }

  #add(chat: number, fields: JsonObject, effects: readonly string[], replies: readonly string[]) {
    const update = { update_id: this.#updateId, ...fields };
    const owed = { effects, replies };
    // No two actions share an instant, because Telegram's ids follow the order of actions.
    const atMs = Math.min(this.#atMs, this.#untilMs) + this.#planned.length;
    const text = JSON.stringify(fields);
    const hangs = text.includes(" hangs-once");
    const later = / (w\d+) later"/.exec(text)?.[1];
    const of = { updateId: this.#updateId, chat: String(chat), hangs, later };
    this.#planned.push({ atMs, update, ...of, ...owed });
    const last = replies.at(-1);
    if (last !== undefined) this.#lastReply.set(String(chat), last);
  }

  #say(chat: number, text: string, effects: readonly string[], replies: readonly string[]): void {
    const userId = chat === groupChat ? groupMember : chat;
    const [command = ""] = text.split(" ");
    const message: JsonObject = {
      message_id: this.#updateId,
      date: 0,
      from: { id: userId, is_bot: false, first_name: "Ada", language_code: "en" },
      chat: { id: chat, type: chat === groupChat ? "supergroup" : "private" },
      text,
      entities: [{ type: "bot_command", offset: 0, length: command.length }],
    };
    this.#add(chat, { message }, effects, replies);
  }

  #work(chat: number, index: number): void {
    const plan = this.#random() < 0.5 ? "plain" : pick(this.#random, workPlans);
    const rare = plan === "kills" || plan === "throws" || plan === "hangs-once";
    const key = `w${index}`;
    const chosen = rare && this.#random() < 0.6 ? "two-steps" : plan;
    const { effects, replies } = owedForWork(key, chosen);
    this.#say(chat, `/work ${key} ${chosen}`, effects, replies);
  }

  #command(chat: number): void {
    const command = pick(this.#random, shopCommands);
    // A neighbour with the same name could not be told from a repetition.
    if (this.#lastReply.get(String(chat)) === labels[command]) {
      this.#work(chat, this.#planned.length + 1_000);
      return;
    }
    const effects = command === "/help" ? [] : this.#welcome(chat);
    this.#say(chat, command, effects, [labels[command]]);
  }

  #welcome(chat: number): readonly string[] {
    if (this.#welcomed.has(String(chat))) return [];
    this.#welcomed.add(String(chat));
    return [`welcome:${chat}`];
  }

  /** Presses the confirm button, sometimes twice, sometimes repeated by the client itself. */
  #buy(chat: number, index: number): void {
    const bought = this.#purchases.get(String(chat)) ?? 0;
    if (bought >= purchasesMax) {
      this.#work(chat, index);
      return;
    }
    this.#purchases.set(String(chat), bought + 1);
    const key = `${(index + 1).toString(36)}.1`;
    const effects = [...this.#welcome(chat), `purchase:${chat}:${key}`];
    this.#press(chat, key, `c${index}`, index, effects, [`receipt ${index}`]);
    if (this.#random() < 0.3) {
      this.#updateId++;
      this.#press(chat, key, `c${index}b`, index + 5_000, [], [`receipt ${index + 5_000}`]);
    }
    if (this.#random() < 0.3) {
      this.#updateId++;
      this.#press(chat, key, `c${index}`, index, [], []);
    }
  }

  #press(
    chat: number,
    key: string,
    id: string,
    messageId: number,
    effects: readonly string[],
    replies: readonly string[],
  ): void {
    const query: JsonObject = {
      id,
      from: { id: chat, is_bot: false, first_name: "Ada", language_code: "en" },
      message: { message_id: messageId, date: 1, chat: { id: chat, type: "private" }, text: "?" },
      chat_instance: "1",
      data: `buy:espresso:${espressoMinor}:${key}`,
    };
    this.#add(chat, { callback_query: query }, effects, replies);
  }
}

/** The effects and replies of a successful `/work`. */
export function owedForWork(key: string, plan: WorkPlan) {
  const steps = plan === "two-steps" ? [1, 2] : [1];
  return {
    effects: steps.map((step) => `${key}/${step}`),
    replies: [...steps.map((step) => `${key}/in-step-${step}`), `${key}/after`],
  };
}

/** The name of the reply that a call sends; `undefined` when it sends none. */
export function nameOfReply(method: string, payload: JsonObject): string | undefined {
  const text = String(payload["text"] ?? "");
  if (method === "editMessageText") return `receipt ${payload["message_id"]}`;
  if (method !== "sendMessage") return undefined;
  if (/^w\d+\//.test(text)) return text;
  if (/^(Hello|Welcome back)/.test(text)) return "greeting";
  if (text.startsWith("This is what I can do")) return "help";
  if (text.startsWith("Balance:")) return "balance";
  if (text.startsWith("Sorry")) return lastWords;
  return `unknown: ${text}`;
}

/** Name of the message that replaces the replies of an update that was given up. */
export const lastWords = "sorry";
