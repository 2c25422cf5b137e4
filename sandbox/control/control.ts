/**
 * Control: the control API's operations, carried out on the sandbox's own parts.
 *
 * Requests may come over HTTP, so invalid ones are refused with a `ControlError`.
 */
import { readdirSync, readFileSync } from "node:fs";
import type {
  ChatSummary,
  FloodMode,
  JournalQuery,
  NewFaultRule,
  NewGroup,
  NewUser,
  QueueState,
  SandboxControl,
  SandboxDescription,
  Scenario,
  ViolationLimits,
} from "../control-api.ts";
import type { FaultRules } from "../faults/active-faults.ts";
import { findRepetitions } from "../flood/repetitions.ts";
import { findViolations, floodRulesDefault } from "../flood/violations.ts";
import { failWith } from "../http/answer.ts";
import { unauthorized } from "../http/bot-route.ts";
import type { Journal } from "../journal.ts";
import { verificationOf } from "../methods/users.ts";
import { randomId } from "../random.ts";
import type { Account, Surroundings } from "../world/account.ts";
import type { Message, User } from "../world/objects.ts";
import type { BusinessSeat, Room } from "../world/room.ts";
import { Actors } from "./actors.ts";
import { ControlError, integerIn } from "./control-error.ts";
import { LaunchSigner, launchFragment, type Theme } from "./launch-parameters.ts";
import { createParticipants } from "./participants.ts";
import { type ChatPlace, roomOf } from "./places.ts";
import { ScenarioPlayer } from "./scenario-player.ts";

export interface ControlOptions {
  readonly accounts: ReadonlyMap<number, Account>;
  readonly around: Surroundings;
  readonly journal: Journal;
  readonly faults: FaultRules;
  readonly flood: FloodMode;
  readonly queryLifetimeMs: number;
  readonly url: () => string;
  /** Closes the listener, and opens it again after this many milliseconds. */
  readonly outage: (ms: number) => Promise<void>;
}

export function createControl(options: ControlOptions): SandboxControl {
  const { accounts, around, journal, faults } = options;
  const signer = new LaunchSigner();
  const account = (botId?: number) => accountOf(accounts, botId);
  const { queryLifetimeMs } = options;
  const accountsOf = (botId?: number) =>
    botId === undefined ? [...accounts.values()] : [account(botId)];
  const people = { account, accounts: accountsOf, around, queryLifetimeMs };
  const actors = new Actors(people);
  const player = new ScenarioPlayer({
    clock: around.clock,
    control: () => control,
    checkFault: (rule) => void checkedRule(rule as NewFaultRule),
    reseed: (seed) => faults.reseed(seed),
  });
  const control: SandboxControl = {
    describe: () => describe(options, signer),
    createUser: (request: NewUser) => actors.createUser(request),
    createGroup: (request: NewGroup) => actors.createGroup(request),
    users: () => [...around.users.values()],
    chats: (request) => chatsOf(account(request?.botId)),
    messages: (request) => messagesOf(account(request.botId), request),
    write: (request) => actors.write(request),
    press: (request) => actors.press(request),
    ...createParticipants({ ...people, actors }),
    inject: (request) => actors.inject(request),
    feed: (request) => actors.feed(request),
    journal: (request: JournalQuery = {}) => journal.query(request),
    facts: (request = {}) => around.facts.query(request),
    violations: (request = {}) => violations(options, request),
    faults: () => faults.list(),
    addFault: (request) => ({ id: faults.add(checkedRule(request)) }),
    removeFault: ({ id }) => ({ removed: faults.remove(id) }),
    clearFaults: () => ({ removed: faults.clear() }),
    playScenario: (request) => player.play(request),
    stopScenario: () => player.stop(),
    scenario: () => player.state,
    scenarios: shippedScenarios,
    setAccess: (request) => actors.setAccess(request),
    migrate: (request) => actors.migrate(request),
    advanceClock: ({ ms }) => {
      around.clock.advance(integerIn({ ms }, "ms", 0));
      return { nowEpochMs: around.clock.epochMs() };
    },
    queue: (request) => queueState(account(request?.botId)),
    jumpUpdateId: (request) => jump(account(request.botId), request),
    redeliver: ({ updateId, botId }) => redeliver(around, account(botId), updateId),
    expireQueries: (request) => ({ expired: account(request?.botId).queries.expireAll() }),
    revokeToken: ({ token, revoked }) => revoke(accounts, token, revoked ?? true),
    outage: async ({ ms }) => {
      await options.outage(integerIn({ ms }, "ms", 0));
      return { ms };
    },
    changes: (request) => around.changes.after(request?.after ?? 0, request?.waitMs ?? 0),
    webApp: ({ userId, url, theme = "light", botId }) => ({
      url: launchUrl(signer, around, account(botId), userId, url, theme),
    }),
  };
  return control;
}

const scenarioFolder = new URL("../scenarios/", import.meta.url);

function shippedScenarios(): readonly Scenario[] {
  const files = readdirSync(scenarioFolder).filter((name) => name.endsWith(".json"));
  return files
    .sort()
    .map((name) => JSON.parse(readFileSync(new URL(name, scenarioFolder), "utf8")) as Scenario);
}

function accountOf(accounts: ReadonlyMap<number, Account>, botId?: number): Account {
  const [first] = accounts.values();
  const account = botId === undefined ? first : accounts.get(botId);
  if (!account) throw new ControlError(404, `no bot ${botId}`);
  return account;
}

function describe(options: ControlOptions, signer: LaunchSigner): SandboxDescription {
  const { clock, pacing } = options.around;
  return {
    sandbox: "telegram-bot-api",
    version: 1,
    pid: process.pid,
    url: options.url(),
    token: accountOf(options.accounts).token,
    botIds: [...options.accounts.keys()],
    bots: [...options.accounts.values()].map(({ id, me, test, token }) => ({
      id,
      username: me.username ?? "",
      token,
      test,
    })),
    nowEpochMs: clock.epochMs(),
    nowMs: clock.monotonicMs(),
    pacing,
    flood: options.flood,
    launchPublicKey: signer.publicKey,
  };
}

function chatsOf(account: Account): readonly ChatSummary[] {
  const businesses = [...account.business.all()].flatMap(({ rooms }) => [...rooms.values()]);
  return [...account.rooms.values(), ...businesses].map((room) => chatSummary(account, room));
}

function seatOf({ readMessageId }: Room, { connectionId, user }: BusinessSeat) {
  return { connectionId, ownerId: user.id, readMessageId };
}

function chatSummary(account: Account, room: Room): ChatSummary {
  const { business } = room;
  return {
    chat: room.chat,
    ...(business ? { business: seatOf(room, business) } : {}),
    access: room.access,
    memberIds: business ? [room.id, business.user.id] : [...room.memberIds],
    messages: room.size,
    lastMessage: room.lastMessage(),
    keyboard: room.keyboard ?? null,
    pinned: room.message([...room.pinnedIds].at(-1) ?? 0) ?? null,
    topics: room.chat.is_forum ? room.topics.all() : [],
    draft: room.draft?.text ?? null,
    verification: verificationOf(account, room.id) ?? null,
  };
}

const messagesMax = 1_000;
/** How long a Mini App's query can be answered. The sandbox's own choice. */
const webAppQueryMs = 3_600_000;

function messagesOf(
  account: Account,
  request: ChatPlace & { readonly after?: number; readonly limit?: number },
): readonly Message[] {
  const room = roomOf(account, request);
  const after = request.after ?? 0;
  const found = [...room.messages()].filter(({ message_id }) => message_id > after);
  return found.sort((a, b) => a.message_id - b.message_id).slice(-(request.limit ?? messagesMax));
}

function violations({ accounts, around, journal }: ControlOptions, request: ViolationLimits) {
  const { id: botId } = accountOf(accounts, request.botId);
  const query = { botId, after: request.after ?? 0, limit: Number.POSITIVE_INFINITY };
  const writings = [...around.facts.writings()].filter((writing) => writing.botId === botId);
  const { chatPerSecond, groupPerMinute, botPerSecond } = floodRulesDefault;
  const calls = journal.query(query);
  const found = [
    ...findViolations(calls, writings, {
      chatPerSecond: request.chatPerSecond ?? chatPerSecond,
      groupPerMinute: request.groupPerMinute ?? groupPerMinute,
      botPerSecond: request.botPerSecond ?? botPerSecond,
    }),
    ...findRepetitions(calls, writings),
  ];
  const { rules } = request;
  return found
    .filter(({ rule }) => rules === undefined || rules.includes(rule))
    .sort((a, b) => a.atMs - b.atMs || a.sequence - b.sequence);
}

const faultKinds = ["latency", "hang", "close", "cut", "html", "error", "conflict"];

function checkedRule(rule: NewFaultRule): NewFaultRule {
  if (typeof rule.match !== "string" || rule.match === "") {
    throw new ControlError(400, 'match must be a method\'s name or "*"');
  }
  const kind: unknown = rule.fault?.kind;
  if (typeof kind !== "string" || !faultKinds.includes(kind)) {
    throw new ControlError(400, `fault.kind must be one of ${faultKinds.join(", ")}`);
  }
  if (rule.fault.kind === "html" || rule.fault.kind === "error") {
    integerIn({ ...rule.fault }, "status", 200, 599);
  }
  if (rule.fault.kind === "latency") integerIn({ ...rule.fault }, "ms", 0);
  return rule;
}

function queueState(account: Account): QueueState {
  const { queue } = account;
  return {
    botId: account.id,
    pending: queue.pending,
    nextUpdateId: queue.nextId,
    oldestUpdateId: queue.pending > 0 ? queue.headId : null,
    waiting: account.polling.waiting,
    webhookUrl: account.webhook?.state.url ?? "",
    allowedUpdates: account.allowedUpdates.names,
  };
}

function jump(
  account: Account,
  request: { readonly to: number; readonly dropPending?: boolean },
): QueueState {
  const to = integerIn({ ...request }, "to", 1, 2_000_000_000);
  if (request.dropPending) account.queue.clear("dropped");
  if (!account.queue.jump(to)) {
    throw new ControlError(400, `update id ${to} is not above the ids that are pending`);
  }
  return queueState(account);
}

function redeliver({ facts }: Surroundings, account: Account, updateId: number) {
  const body = facts.bodyOf(account.id, updateId);
  if (body !== undefined) account.polling.replay(updateId, body);
  return { found: body !== undefined };
}

function revoke(
  accounts: ReadonlyMap<number, Account>,
  token: string | undefined,
  revoked: boolean,
) {
  const account =
    token === undefined
      ? accountOf(accounts)
      : [...accounts.values()].find((candidate) => candidate.token === token);
  if (!account) throw new ControlError(404, "no such token");
  account.revoked = revoked;
  if (revoked) account.polling.finish(failWith(unauthorized));
  return { revoked };
}

function launchUrl(
  signer: LaunchSigner,
  around: Surroundings,
  account: Account,
  userId: number,
  url: string,
  theme: Theme,
): string {
  if (theme !== "light" && theme !== "dark") {
    throw new ControlError(400, "theme must be light or dark");
  }
  const user: User | undefined = around.users.get(userId);
  if (!user) throw new ControlError(404, `no user ${userId}`);
  if (!URL.canParse(url)) throw new ControlError(400, "url must be a URL");
  const queryId = randomId(around.random);
  const query = { kind: "web_app", userId: user.id, chatId: account.privateRoom(user).id } as const;
  account.queries.open(queryId, query, webAppQueryMs);
  const initData = signer.initData(account.token, user, queryId, around.clock.epochS());
  const target = new URL(url);
  target.hash = launchFragment(initData, theme);
  return target.href;
}
