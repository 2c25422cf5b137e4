/**
 * Bot API: takes a request from its first byte to its answer.
 *
 * The order: path, parameters, token, method; then a fault if one is due; then the method. Every
 * request of a bot is journalled, even when it fails.
 */
import type { FloodMode } from "./control-api.ts";
import type { FaultRules } from "./faults/active-faults.ts";
import { playFault } from "./faults/fault-player.ts";
import {
  type Answer,
  ApiError,
  empty,
  fail,
  failWith,
  succeed,
  tooManyRequests,
} from "./http/answer.ts";
import { UnacceptableBodyError } from "./http/body.ts";
import {
  accountAt,
  type BotRoute,
  botIdOf,
  checkTokenForm,
  type MalformedTokens,
  parseBotRoute,
  unauthorized,
} from "./http/bot-route.ts";
import type { Connection } from "./http/connection.ts";
import type { Exchange } from "./http/exchange.ts";
import { Parameters } from "./http/parameters.ts";
import type { Journal, OpenEntry } from "./journal.ts";
import { type Call, checkNetwork, type Effect } from "./methods/call.ts";
import { checkLoggedIn } from "./methods/settings.ts";
import { type KnownMethod, methodNamed } from "./methods/table.ts";
import { DescribedResult } from "./methods/webhooks.ts";
import { webhookActiveConflict } from "./updates/update-polling.ts";
import type { WebhookResponse } from "./updates/webhook-connection.ts";
import type { Account, Surroundings } from "./world/account.ts";

export interface BotApiOptions {
  readonly accounts: ReadonlyMap<number, Account>;
  readonly around: Surroundings;
  readonly journal: Journal;
  readonly faults: FaultRules;
  readonly flood: FloodMode;
  readonly malformedTokens: MalformedTokens;
}

/** TDLib waits this long before it reports a flood. Source: tdlib/td, NetQueryCreator.cpp. */
const absorbMsMax = 8_000;

/** A webhook's answer may not call these. Source: tdlib/telegram-bot-api, WebhookActor.cpp. */
const notFromWebhooks: ReadonlySet<string> = new Set([
  "setwebhook",
  "deletewebhook",
  "close",
  "logout",
]);

export class BotApi {
  readonly #options: BotApiOptions;

  constructor(options: BotApiOptions) {
    this.#options = options;
  }

  /** Answers the request, at once or later. Never throws. */
  handle(exchange: Exchange): void {
    const url = exchange.request.url ?? "/";
    const queryAt = url.indexOf("?");
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    const query = queryAt < 0 ? "" : url.slice(queryAt + 1);
    try {
      const route = parseBotRoute(path);
      const contentType = exchange.request.headers["content-type"] ?? "";
      this.#serve(exchange, route, Parameters.parse(query, contentType, exchange.body));
    } catch (error) {
      const refused = error instanceof UnacceptableBodyError ? empty(error.status) : failure(error);
      exchange.send(refused, () => {});
    }
  }

  #serve(exchange: Exchange, route: BotRoute, parameters: Parameters): void {
    const name = route.method || parameters.text("method");
    const entry = this.#open(botIdOf(route.token), name, parameters, exchange.connection);
    const account = this.#authorise(route);
    if (account instanceof ApiError) {
      this.#send(exchange, entry, failWith(account));
      return;
    }
    const call: Call = { account, parameters, around: this.#options.around };
    const target = { botId: account.id, method: name.toLowerCase(), chatId: entry.chatId };
    const fault = this.#options.faults.strike(target);
    const run = () => this.#execute(call, target.method, entry, exchange);
    if (fault) {
      entry.fault = fault.kind;
      const send = (answer: Answer) => this.#send(exchange, entry, answer);
      const note = (status: number) => this.#note(entry, status);
      void playFault({ fault, exchange, run, send, note, account, clock: call.around.clock });
      return;
    }
    const answer = run();
    if (answer instanceof Promise) {
      void answer.then((late) => this.#send(exchange, entry, late));
    } else this.#send(exchange, entry, answer);
  }

  /** Executes a method in the process, as a request with this body would be. Never rejects. */
  async call(account: Account, name: string, contentType: string, body: Buffer): Promise<Answer> {
    try {
      const parameters = Parameters.parse("", contentType, body);
      const entry = this.#open(account.id, name, parameters, null);
      const call: Call = { account, parameters, around: this.#options.around };
      const answer = await this.#execute(call, name.toLowerCase(), entry, undefined);
      this.#note(entry, answer.status);
      entry.description = answer.description ?? null;
      return answer;
    } catch (error) {
      return failure(error);
    }
  }

  /** Executes a method that a webhook's answer calls, and drops the result. */
  callFromWebhook(account: Account, response: WebhookResponse): void {
    try {
      const parameters = Parameters.parse("", response.contentType, response.body);
      const name = parameters.text("method");
      const lowerName = name.toLowerCase();
      if (name === "" || lowerName.startsWith("get") || notFromWebhooks.has(lowerName)) return;
      const entry = this.#open(account.id, name, parameters, null);
      const call: Call = { account, parameters, around: this.#options.around };
      const note = (answer: Answer) => {
        this.#note(entry, answer.status);
        entry.description = answer.description ?? null;
      };
      const answer = this.#execute(call, lowerName, entry, undefined);
      if (answer instanceof Promise) void answer.then(note);
      else note(answer);
    } catch {
      // Telegram ignores an answer it cannot read, and counts the update as delivered.
    }
  }

  #open(
    botId: number,
    method: string,
    parameters: Parameters,
    connection: Connection | null,
  ): OpenEntry {
    const { journal, around } = this.#options;
    const entry = journal.open({
      botId,
      method: method.slice(0, 64),
      parameters: parameters.forJournal(),
      arrivedAtMs: around.clock.monotonicMs(),
      arrivedAtEpochMs: around.clock.epochMs(),
      connection,
    });
    entry.chatId = parameters.integer("chat_id") || null;
    return entry;
  }

  #authorise(route: BotRoute): Account | ApiError {
    const malformed = checkTokenForm(route.token, this.#options.malformedTokens);
    return malformed ?? accountAt(this.#options.accounts, route) ?? unauthorized;
  }

  /** Runs the method. Never throws, never rejects. */
  #execute(
    call: Call,
    name: string,
    entry: OpenEntry,
    exchange: Exchange | undefined,
  ): Answer | Promise<Answer> {
    try {
      checkLoggedIn(call.account, call.around.clock.monotonicMs());
      const method = methodNamed(name);
      if (!method) return fail(404, "Not Found: method not found");
      if (method.name !== "close") call.account.reopen();
      return this.#run(call, method, entry, exchange);
    } catch (error) {
      return failure(error);
    }
  }

  #run(
    call: Call,
    method: KnownMethod,
    entry: OpenEntry,
    exchange: Exchange | undefined,
  ): Answer | Promise<Answer> {
    switch (method.kind) {
      case "sending":
        return this.#send429OrPerform(call, method.prepare(call), entry);
      case "immediate": {
        const done = (result: unknown) => {
          this.#executed(entry);
          return result instanceof DescribedResult
            ? succeed(result.result, result.description)
            : succeed(result);
        };
        const result = method.run(call);
        return result instanceof Promise ? result.then(done, failure) : done(result);
      }
      case "polling":
        this.#executed(entry);
        return this.#poll(call, entry, exchange);
    }
  }

  #send429OrPerform(call: Call, effect: Effect, entry: OpenEntry): Answer | Promise<Answer> {
    const { flood } = this.#options;
    entry.chatId = effect.room.id;
    entry.cost = effect.cost;
    checkNetwork(effect.room);
    const waitMs = flood === "off" ? 0 : this.#takeRoom(call, effect);
    if (waitMs === 0) return this.#perform(effect, entry);
    if (flood === "strict") throw tooManyRequests(Math.ceil(waitMs / 1_000));
    return this.#absorb(call, effect, entry, waitMs);
  }

  #takeRoom(call: Call, { room, cost }: Effect): number {
    const { account, around } = call;
    return account.flood.take(room.id, !room.isPrivate, cost, around.clock.monotonicMs());
  }

  /** Waits without an answer for as long as Telegram's own server does. */
  async #absorb(call: Call, effect: Effect, entry: OpenEntry, firstMs: number): Promise<Answer> {
    let waitMs = firstMs;
    let waitedMs = 0;
    while (waitMs > 0) {
      waitedMs += waitMs;
      if (waitedMs > absorbMsMax) return failWith(tooManyRequests(Math.ceil(waitMs / 1_000)));
      await call.around.clock.sleep(waitMs);
      waitMs = this.#takeRoom(call, effect);
    }
    try {
      return this.#perform(effect, entry);
    } catch (error) {
      return failure(error);
    }
  }

  #perform(effect: Effect, entry: OpenEntry): Answer {
    const result = effect.perform();
    entry.messageId = messageIdOf(result);
    this.#executed(entry);
    return succeed(result);
  }

  #poll({ account, parameters, around }: Call, entry: OpenEntry, exchange: Exchange | undefined) {
    if (account.webhook) return account.polling.conflict(webhookActiveConflict);
    account.allowedUpdates.set(parameters.jsonOrNothing("allowed_updates"));
    const request = {
      offset: parameters.integer("offset"),
      limit: parameters.integerWithin("limit", 1, 100, 100),
      timeoutS: parameters.integerWithin("timeout", 0, 50, 0),
    };
    return account.polling.poll(request, (updateIds) =>
      around.facts.delivered(account.id, updateIds, {
        journalSequence: entry.sequence,
        clientConnected: exchange?.connection.clientConnected ?? false,
      }),
    );
  }

  #executed(entry: OpenEntry): void {
    entry.executed = true;
    entry.executedAtMs = this.#options.around.clock.monotonicMs();
  }

  #send(exchange: Exchange, entry: OpenEntry, answer: Answer): void {
    if (exchange.connection.clientConnected) {
      this.#note(entry, answer.status);
      entry.description = answer.description ?? null;
    }
    exchange.send(answer, () => {
      entry.answerWritten = true;
    });
  }

  #note(entry: OpenEntry, status: number): void {
    entry.status = status;
    entry.answeredAtMs = this.#options.around.clock.monotonicMs();
  }
}

function messageIdOf(result: unknown): number | null {
  const first: unknown = Array.isArray(result) ? result[0] : result;
  if (typeof first !== "object" || first === null || !("message_id" in first)) return null;
  return typeof first.message_id === "number" ? first.message_id : null;
}

/** Turns a refusal into Telegram's answer, and a defect of the sandbox into a 500 that says so. */
function failure(error: unknown): Answer {
  if (error instanceof ApiError) return failWith(error);
  const text = error instanceof Error ? error.message : String(error);
  return fail(500, `Internal Server Error: defect of the sandbox: ${text}`);
}
