/**
 * Crowd: people who write, press and buy while the bot is being broken, and the replies they must get.
 *
 * Writers send a round of commands, each starting at another one, so that neighbouring replies differ.
 * A caller repeats one command in a chat of its own, so that the drill sees when the bot replies again.
 * Shoppers buy until their money is gone and press every button twice.
 */

import type { SandboxClient } from "../../sandbox/client.ts";
import type { Expectation, NamedCall } from "../history/from-journal.ts";
import { pause } from "./bot-process.ts";

export interface CrowdOptions {
  readonly sandbox: SandboxClient;
  readonly random: () => number;
  readonly writers: number;
  readonly shoppers: number;
  /** Milliseconds between two texts of one writer, on average. */
  readonly pauseMs: number;
  /** Milliseconds between two callers. */
  readonly callEveryMs: number;
  /** Whether a shopper without money is followed by another one. Default false. */
  readonly shopsOn?: boolean;
}

const firstWriterId = 5_000;
const firstShopperId = 7_000;
/** Callers have ids from here on, and write once each. */
export const firstCallerId = 100_000;
const purchases = 5;

const commands = ["/start", "/help", "/balance", "/orders", "hello"] as const;
type Command = (typeof commands)[number];

/** A person's first command of these creates the account. */
const opening: readonly Command[] = ["/start", "/balance", "/orders"];

const labelOf: Readonly<Record<Command, string>> = {
  "/start": "greeting",
  "/help": "help",
  "/balance": "balance",
  "/orders": "orders",
  hello: "hint",
};

export class Crowd {
  readonly #options: CrowdOptions;
  /** Expectations by update. A shopper has one, at the first update, for all purchases. */
  readonly #owed = new Map<number, Expectation>();
  readonly #members = new Set<number>();
  readonly #shoppings = new Map<number, { readonly userId: number; readonly keys: Set<string> }>();
  #going: Promise<unknown> | undefined;
  #shopping: Promise<unknown> = Promise.resolve();
  #stopping = false;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  /** The effects and replies that an update must cause; empty for updates of other people. */
  owed(updateId: number): Expectation {
    const shopping = this.#shoppings.get(updateId);
    if (!shopping) return this.#owed.get(updateId) ?? {};
    const purchases = [...shopping.keys].map((key) => `purchase:${shopping.userId}:${key}`);
    // The first purchase opens the account; who only looks around has none.
    return { effects: purchases.length > 0 ? [`welcome:${shopping.userId}`, ...purchases] : [] };
  }

  start(): void {
    const { shoppers, writers } = this.#options;
    const indices = (count: number) => Array.from({ length: count }, (_, index) => index);
    this.#shopping = Promise.all(indices(shoppers).map((index) => this.#shopOn(index)));
    this.#going = Promise.all([
      ...indices(writers).map((index) => this.#write(index)),
      this.#call(),
    ]);
    // A person still at work when the scene is closed fails; `stop` reports that to its caller.
    void Promise.allSettled([this.#shopping, this.#going]);
  }

  /** Starts no new work. Resolves when all writers and callers have finished. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#going;
  }

  /** Starts no new work, and does not wait. */
  leave(): void {
    this.#stopping = true;
  }

  /** Resolves when the shoppers have their goods. */
  async shopped(): Promise<void> {
    await this.#shopping;
  }

  async #say(userId: number, text: Command): Promise<void> {
    const { updateId } = await this.#options.sandbox.write({ userId, text });
    const opens = opening.includes(text) && !this.#members.has(userId);
    if (opens) this.#members.add(userId);
    const effects = opens ? [`welcome:${userId}`] : [];
    this.#owed.set(updateId ?? 0, { effects, replies: [labelOf[text]] });
  }

  async #write(index: number): Promise<void> {
    const { pauseMs, random } = this.#options;
    for (let turn = index; !this.#stopping; turn++) {
      const text = commands[turn % commands.length] ?? "/help";
      await this.#say(firstWriterId + index, text);
      await pause(2 * random() * pauseMs);
    }
  }

  async #call(): Promise<void> {
    for (let userId = firstCallerId; !this.#stopping; userId++) {
      await this.#say(userId, "/help");
      await pause(this.#options.callEveryMs);
    }
  }

  async #shopOn(first: number): Promise<void> {
    const { shoppers, shopsOn = false } = this.#options;
    let index = first;
    do {
      await this.#shop(firstShopperId + index);
      index += shoppers;
    } while (shopsOn && !this.#stopping);
  }

  async #shop(userId: number): Promise<void> {
    const { sandbox } = this.#options;
    const patience = { timeoutMs: 600_000 };
    const keys = new Set<string>();
    const { updateId } = await sandbox.write({ userId, text: "/shop" });
    this.#shoppings.set(updateId ?? 0, { userId, keys });
    const press = async (messageId: number, button: { data: string } | { row: 0; column: 0 }) => {
      const pressed = await sandbox.press({ userId, chatId: userId, messageId, ...button });
      this.#owed.set(pressed.updateId ?? 0, { effects: [] });
    };
    const list = await sandbox.waitForMessage(userId, hasButtons, patience);
    let after = list.message_id;
    for (let purchase = 0; purchase < purchases && !this.#stopping; purchase++) {
      await press(list.message_id, { row: 0, column: 0 });
      const asks = (message: Markup) => orderIn(message) !== undefined;
      const question = await sandbox.waitForMessage(userId, asks, { after, ...patience });
      after = question.message_id;
      const data = orderIn(question) ?? "";
      keys.add(data.split(":")[3] ?? "");
      // Name the button by its data: in the same position the receipt has a button that cancels.
      await press(after, { data });
      await press(after, { data }).catch(() => {
        // The first press has been answered, and its button is gone.
      });
      const edited = (message: { message_id: number; edit_date?: number }) =>
        message.message_id === after && message.edit_date !== undefined;
      await sandbox.waitForMessage(userId, edited, { after: after - 1, ...patience });
    }
  }
}

interface Markup {
  readonly reply_markup?: unknown;
}

function hasButtons(message: Markup): boolean {
  return message.reply_markup !== undefined;
}

/** The button that confirms an order. The list of goods, which may come twice, has none. */
function orderIn(message: Markup): string | undefined {
  return /buy:[^:"]*:[^:"]*:[^"]*/.exec(JSON.stringify(message.reply_markup) ?? "")?.[0];
}

/** Name of the message that replaces the reply to an update that was given up. */
export const apology = "apology";

/** The name of the reply that a call sends; `undefined` when it sends none. */
export function nameOfReply({ method, parameters }: NamedCall): string | undefined {
  return method === "sendMessage" ? labelOfText(parameters["text"] ?? "") : undefined;
}

function labelOfText(text: string): string {
  if (/^(Hello|Welcome back)/.test(text)) return "greeting";
  if (text.startsWith("This is what I can do")) return "help";
  if (text.startsWith("Balance:")) return "balance";
  if (text.startsWith("You have no orders")) return "orders";
  if (text.startsWith("I understand commands only")) return "hint";
  if (text.startsWith("Sorry, something went wrong")) return apology;
  return `unknown: ${text}`;
}
