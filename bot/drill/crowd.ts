/**
 * Crowd: people who write, press and buy while the bot is being broken, and what they must get for it.
 *
 * Writers send a round of commands, each starting at another one, so that neighbouring replies differ.
 * Callers say one thing each, in a chat of their own, again and again: they are how the drill sees when
 * the bot answers. Shoppers buy until their money is gone and press every button twice.
 */
import type { SandboxClient } from "../sandbox/client.ts";
import { nowMs, pause } from "./bot-process.ts";

export interface CrowdOptions {
  readonly sandbox: SandboxClient;
  readonly random: () => number;
  readonly writers: number;
  readonly shoppers: number;
  /** Milliseconds between two texts of one writer, on average. */
  readonly pauseMs: number;
  /** Milliseconds between two callers. */
  readonly callEveryMs: number;
}

/** Somebody who says one thing. */
export interface Caller {
  readonly userId: number;
  readonly writtenAtMs: number;
}

export interface Shopping {
  readonly userId: number;
  /** Different wishes confirmed: a question that came twice asks for the same one. */
  readonly wishes: number;
}

const firstWriterId = 5_000;
const firstShopperId = 7_000;
const firstCallerId = 100_000;
const purchases = 5;

const commands = ["/start", "/help", "/balance", "/orders", "hello"] as const;
const labelOf: Readonly<Record<(typeof commands)[number], string>> = {
  "/start": "greeting",
  "/help": "help",
  "/balance": "balance",
  "/orders": "orders",
  hello: "hint",
};

export class Crowd {
  readonly #options: CrowdOptions;
  readonly #said = new Map<number, string[]>();
  readonly #callers: Caller[] = [];
  #going: Promise<unknown> | undefined;
  #shopping: Promise<readonly Shopping[]> = Promise.resolve([]);
  #stopping = false;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  get callers(): readonly Caller[] {
    return this.#callers;
  }

  /** By chat, the labels of the replies it is owed, in their order. */
  get owed(): ReadonlyMap<number, readonly string[]> {
    const owed = new Map<number, readonly string[]>(this.#said);
    for (const { userId } of this.#callers) owed.set(userId, ["help"]);
    return owed;
  }

  start(): void {
    const { shoppers, writers } = this.#options;
    const indices = (count: number) => Array.from({ length: count }, (_, index) => index);
    this.#shopping = Promise.all(indices(shoppers).map((index) => this.#shop(index)));
    this.#going = Promise.all([
      ...indices(writers).map((index) => this.#write(index)),
      this.#call(),
    ]);
    // Whoever is still at it when the scene is closed fails; those who wait are told by `stop`.
    void Promise.allSettled([this.#shopping, this.#going]);
  }

  /** Nobody begins anything new; resolves when everybody has said what they wanted to say. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#going;
  }

  /** Nobody begins anything new, and nobody is waited for. */
  leave(): void {
    this.#stopping = true;
  }

  /** Resolves when the shoppers have their goods. */
  shopped(): Promise<readonly Shopping[]> {
    return this.#shopping;
  }

  async #write(index: number): Promise<void> {
    const { pauseMs, random, sandbox } = this.#options;
    const userId = firstWriterId + index;
    const said: string[] = [];
    this.#said.set(userId, said);
    for (let turn = index; !this.#stopping; turn++) {
      const text = commands[turn % commands.length] ?? "/help";
      await sandbox.write({ userId, text });
      said.push(labelOf[text]);
      await pause(2 * random() * pauseMs);
    }
  }

  async #call(): Promise<void> {
    for (let userId = firstCallerId; !this.#stopping; userId++) {
      const writtenAtMs = nowMs();
      await this.#options.sandbox.write({ userId, text: "/help" });
      this.#callers.push({ userId, writtenAtMs });
      await pause(this.#options.callEveryMs);
    }
  }

  async #shop(index: number): Promise<Shopping> {
    const { sandbox } = this.#options;
    const userId = firstShopperId + index;
    const patience = { timeoutMs: 600_000 };
    await sandbox.write({ userId, text: "/shop" });
    const list = await sandbox.waitForMessage(userId, hasButtons, patience);
    const wishes = new Set<string>();
    let after = list.message_id;
    for (let purchase = 0; purchase < purchases && !this.#stopping; purchase++) {
      const first = { userId, chatId: userId, row: 0, column: 0 };
      await sandbox.press({ ...first, messageId: list.message_id });
      const question = await sandbox.waitForMessage(userId, hasButtons, { after, ...patience });
      after = question.message_id;
      wishes.add(JSON.stringify(question.reply_markup));
      await sandbox.press({ ...first, messageId: after });
      await sandbox.press({ ...first, messageId: after }).catch(() => {
        // The first press has been answered already, and its button is gone.
      });
      const edited = (message: { message_id: number; edit_date?: number }) =>
        message.message_id === after && message.edit_date !== undefined;
      await sandbox.waitForMessage(userId, edited, { after: after - 1, ...patience });
    }
    return { userId, wishes: wishes.size };
  }
}

function hasButtons(message: { readonly reply_markup?: unknown }): boolean {
  return message.reply_markup !== undefined;
}

/** Which of the bot's replies a text is. */
export function labelOfReply(text: string): string {
  if (/^(Hello|Welcome back)/.test(text)) return "greeting";
  if (text.startsWith("This is what I can do")) return "help";
  if (text.startsWith("Balance:")) return "balance";
  if (text.startsWith("You have no orders")) return "orders";
  if (text.startsWith("I understand commands only")) return "hint";
  return `unknown: ${text}`;
}
