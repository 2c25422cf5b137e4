/**
 * Sandbox: a local Telegram Bot API server with a chat page and faults to switch on.
 *
 * It owns the listener and every timer. Its only outgoing connections go to the webhook a bot has set;
 * it fetches no file. An instance lives once.
 */
import { BotApi, type BotApiOptions } from "./bot-api.ts";
import { createControl } from "./control/control.ts";
import { ControlRoutes } from "./control/control-routes.ts";
import type { FloodMode, SandboxControl } from "./control-api.ts";
import { FaultRules } from "./faults/active-faults.ts";
import { type FloodLimits, floodLimitsDefault } from "./flood/flood-model.ts";
import type { Answer } from "./http/answer.ts";
import { botIdOf, checkTokenForm, type MalformedTokens, parseToken } from "./http/bot-route.ts";
import type { Exchange } from "./http/exchange.ts";
import { serveFile } from "./http/file-route.ts";
import { Listener } from "./http/listener.ts";
import { Journal } from "./journal.ts";
import { seededRandom } from "./random.ts";
import { UpdateFacts } from "./updates/update-facts.ts";
import { WebhookDelivery, type WebhookState } from "./updates/webhook-delivery.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { Account, type Surroundings, type WebhookRules } from "./world/account.ts";
import { ChangeFeed } from "./world/change-feed.ts";
import { LocalFiles } from "./world/local-files.ts";

/** The token that a sandbox accepts by default. It is not a secret. */
export const sandboxToken = "123456789:SANDBOX-TOKEN-not-a-real-one-0000000";

export interface SandboxOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /**
   * Tokens it accepts, each of a bot with chats of its own. A token with `/test` at its end is accepted
   * at `/bot<token>/test/METHOD` only, as in Telegram's test environment. Default: `sandboxToken`.
   */
  readonly tokens?: readonly string[];
  /** Whether quick repetitions of `getUpdates` and 409s wait for 3 s. Default true. */
  readonly pacing?: boolean;
  /** Default `strict`. */
  readonly flood?: FloodMode;
  readonly floodLimits?: Partial<FloodLimits>;
  /** Milliseconds in which a callback or inline query can be answered. Default 15,000. */
  readonly queryLifetimeMs?: number;
  /** Seed of every random choice. Default: a different one each time. */
  readonly seed?: number;
  /** True: time passes only by `control.advanceClock`. Default false. */
  readonly frozenClock?: boolean;
  /** Requests and updates remembered. Default 100,000. */
  readonly journalMax?: number;
  /** How malformed tokens are refused. Default: as by api.telegram.org. */
  readonly malformedTokens?: MalformedTokens;
  /** Which addresses `setWebhook` accepts. Default `local`: any, as in the server's `--local` mode. */
  readonly webhookRules?: WebhookRules;
  /**
   * A directory for the bots' files, as in the server's `--local` mode: `getFile` tells absolute paths in
   * it, and bots may name files as `file:///…`. Default: none.
   */
  readonly localDirectory?: string;
  /** Called when `POST /sandbox/stop` has been answered. Default: `stop()`. */
  readonly onStop?: () => void;
}

const journalMaxDefault = 100_000;
const queryLifetimeMsDefault = 15_000;
const reopenMs = 200;

export class Sandbox {
  /** The control API, in the process. */
  readonly control: SandboxControl;
  readonly #host: string;
  readonly #port: number;
  readonly #clock: VirtualClock;
  readonly #changes = new ChangeFeed();
  readonly #accounts: ReadonlyMap<number, Account>;
  readonly #botApi: BotApi;
  readonly #routes: ControlRoutes;
  #listener: Listener | undefined;
  #boundPort = 0;
  #stopped = false;
  #lastRequestAtMs = performance.now();

  constructor(options: SandboxOptions = {}) {
    this.#host = options.host ?? "127.0.0.1";
    this.#port = options.port ?? 0;
    this.#clock = new VirtualClock(options.frozenClock ?? false);
    const journalMax = options.journalMax ?? journalMaxDefault;
    const random = seededRandom(options.seed ?? Math.floor(Math.random() * 2 ** 32));
    const faults = new FaultRules(random);
    const around: Surroundings = {
      clock: this.#clock,
      startedAtMs: this.#clock.monotonicMs(),
      random,
      pacing: options.pacing ?? true,
      floodLimits: { ...floodLimitsDefault, ...options.floodLimits },
      facts: new UpdateFacts(journalMax, () => this.#clock.monotonicMs()),
      changes: this.#changes,
      users: new Map(),
      localFiles: options.localDirectory ? new LocalFiles(options.localDirectory) : undefined,
      webhookRules: options.webhookRules ?? "local",
      openWebhook: (account, state) => this.#openWebhook(account, state, around, faults),
    };
    this.#accounts = createAccounts(options.tokens ?? [sandboxToken], around);
    const parts: BotApiOptions = {
      accounts: this.#accounts,
      around,
      journal: new Journal(journalMax),
      faults,
      flood: options.flood ?? "strict",
      malformedTokens: options.malformedTokens ?? "cloud-404",
    };
    this.#botApi = new BotApi(parts);
    this.control = createControl({
      ...parts,
      queryLifetimeMs: options.queryLifetimeMs ?? queryLifetimeMsDefault,
      url: () => this.#url(),
      outage: (ms) => this.#outage(ms),
    });
    const onStop = options.onStop ?? (() => void this.stop());
    const file = (botId: number, id: string) => this.#accounts.get(botId)?.files.get(id)?.content;
    this.#routes = new ControlRoutes({ control: this.control, host: this.#host, onStop, file });
  }

  /** Rejects when the port is not available. */
  async start(): Promise<{ url: string; port: number }> {
    await this.#open(this.#port);
    return { url: this.#url(), port: this.#boundPort };
  }

  /** Cuts every connection. Safe before `start`, and twice. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
    for (const account of this.#accounts.values()) account.stop();
    this.#changes.stop();
    this.#clock.stop();
  }

  /**
   * Calls a method of the first bot in the process, without a listener; the sandbox need not be started.
   *
   * @param body JSON, or whatever else `contentType` says.
   * @returns status and body of the answer.
   */
  call(method: string, body: Buffer, contentType = "application/json"): Promise<Answer> {
    const [account] = this.#accounts.values();
    if (!account) throw new Error("this sandbox has no bot");
    return this.#botApi.call(account, method, contentType, body);
  }

  /** Milliseconds since the last request; 0 while a poll waits. */
  idleMs(): number {
    for (const { polling } of this.#accounts.values()) if (polling.waiting) return 0;
    return performance.now() - this.#lastRequestAtMs;
  }

  #openWebhook(
    account: Account,
    state: WebhookState,
    { clock, facts, pacing, random }: Surroundings,
    faults: FaultRules,
  ): WebhookDelivery {
    const delivery = { journalSequence: null, clientConnected: true };
    return new WebhookDelivery({
      botId: account.id,
      state,
      clock,
      random,
      queue: account.queue,
      faults,
      pacing,
      onDelivery: (updateId) => facts.delivered(account.id, [updateId], delivery),
      onAnswer: (response) => this.#botApi.callFromWebhook(account, response),
      onGone: () => account.setWebhook(undefined),
    });
  }

  #url(): string {
    const host = this.#host.includes(":") ? `[${this.#host}]` : this.#host;
    return `http://${host}:${this.#boundPort}`;
  }

  async #open(port: number): Promise<void> {
    const nowMs = () => this.#clock.monotonicMs();
    const listener = new Listener((exchange) => this.#handle(exchange), nowMs);
    this.#boundPort = await listener.open(this.#host, port);
    this.#listener = listener;
  }

  async #outage(ms: number): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#clock.schedule(ms, () => void this.#reopen());
    await listener?.close();
  }

  async #reopen(): Promise<void> {
    if (this.#stopped) return;
    try {
      await this.#open(this.#boundPort);
    } catch {
      // Another program took the port: the outage lasts until it is free again.
      this.#clock.schedule(reopenMs, () => void this.#reopen());
    }
  }

  #handle(exchange: Exchange): void {
    this.#lastRequestAtMs = performance.now();
    const url = exchange.request.url ?? "";
    if (url.startsWith("/bot")) this.#botApi.handle(exchange);
    else if (url.startsWith("/file/bot")) serveFile(exchange, this.#accounts);
    else if (!this.#routes.handle(exchange)) this.#botApi.handle(exchange);
  }
}

function createAccounts(tokens: readonly string[], around: Surroundings) {
  const accounts = new Map<number, Account>();
  for (const text of tokens) {
    const { test, token } = parseToken(text);
    const problem = checkTokenForm(token, "server-401");
    if (problem) throw new Error(`not a token Telegram would accept: ${problem.message}`);
    const id = botIdOf(token);
    if (accounts.has(id)) throw new Error(`bot ${id} has two tokens`);
    accounts.set(id, new Account({ id, token, test }, around));
  }
  return accounts;
}
