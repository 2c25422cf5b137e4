/** Contender: the bots that are measured, each a program of its own, and what people send them. */
import { fileURLToPath } from "node:url";
import type { ContenderName } from "./bench-arguments.ts";

export interface Contender {
  readonly name: ContenderName;
  readonly title: string;
  /** The program. Default: `bot/start.ts`. */
  readonly file?: string;
  /** What every update of the speed bench says. */
  readonly text: string;
  /** Whether each update of the speed bench comes from somebody who has never written before. */
  readonly newPeople: boolean;
}

const program = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export const contenders: Readonly<Record<ContenderName, Contender>> = {
  "this-bot": {
    name: "this-bot",
    title: "this bot, durable",
    text: "/help",
    newPeople: false,
  },
  "this-bot-shop": {
    name: "this-bot-shop",
    title: "this bot, opening an account",
    // One transaction each: the account, its welcome balance and the profile.
    text: "/start",
    newPeople: true,
  },
  telegraf: {
    name: "telegraf",
    title: "bare Telegraf",
    file: program("../drill/peers/telegraf-peer.ts"),
    text: "/help",
    newPeople: false,
  },
  grammy: {
    name: "grammy",
    title: "grammY",
    file: program("../drill/peers/grammy-peer.ts"),
    text: "/help",
    newPeople: false,
  },
  runner: {
    name: "runner",
    title: "grammY runner",
    file: program("../drill/peers/runner-peer.ts"),
    text: "/help",
    newPeople: false,
  },
  "limit-line": {
    name: "limit-line",
    title: "limit line (fetch and post)",
    file: program("./programs/limit-line.ts"),
    text: "/help",
    newPeople: false,
  },
};

/** The program of a contender, as options of a scene or a process. */
export function programOf(name: ContenderName): { readonly file?: string } {
  const { file } = contenders[name];
  return file === undefined ? {} : { file };
}
