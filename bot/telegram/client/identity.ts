/**
 * Identity: knows who the bot is (`getMe`), even while Telegram cannot be reached.
 *
 * Telegraf needs this to tell `/start@ThisBot` from `/start@AnotherBot`. The last answer is kept in
 * the store, so waiting updates are handled right after a restart during an outage.
 */
import type { Context } from "telegraf";
import type { BotApi } from "../../core/bot-api.ts";
import type { Clock, Random } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import { CallUnknownError } from "../../core/errors.ts";
import { Loop } from "../../core/loop.ts";
import type { FactStore } from "../../core/store.ts";
import { decidePollDelay } from "../intake/intake-rules.ts";
import { isBotInfo } from "./answer-fields.ts";

export type BotInfo = Context["botInfo"];

export interface IdentityDeps {
  readonly api: BotApi;
  readonly clock: Clock;
  readonly random: Random;
  readonly facts: Pick<FactStore, "getFact" | "setFact">;
}

const setting = "bot.info";

export class Identity implements Component {
  readonly name = "identity";
  readonly #deps: IdentityDeps;
  readonly #loop: Loop;
  readonly #known = Promise.withResolvers<BotInfo>();

  constructor(deps: IdentityDeps) {
    this.#deps = deps;
    this.#loop = new Loop(deps.clock, (loop) => this.#ask(loop));
  }

  async start(): Promise<void> {
    const stored = await this.#deps.facts.getFact(setting);
    if (stored !== undefined) this.#known.resolve(JSON.parse(stored) as BotInfo);
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Resolves as soon as the identity is known, from the store or from Telegram. */
  whoAmI(): Promise<BotInfo> {
    return this.#known.promise;
  }

  /** Asks until Telegram answers once. The intake reports failures, so none are reported here. */
  async #ask(loop: Loop): Promise<void> {
    const { api, facts, random } = this.#deps;
    for (let failures = 1; ; failures++) {
      try {
        const info = await api.call<BotInfo>("getMe", {}, { signal: loop.signal });
        if (!isBotInfo(info)) throw new CallUnknownError("getMe: the answer does not name the bot");
        this.#known.resolve(info);
        await facts.setFact(setting, JSON.stringify(info));
        return;
      } catch (error) {
        if (!(await loop.wait(decidePollDelay(error, failures, random)))) return;
      }
    }
  }
}
