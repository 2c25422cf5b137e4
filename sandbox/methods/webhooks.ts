/**
 * Webhooks: methods that set, remove and describe a bot's webhook.
 *
 * Source: Bot API, setWebhook; tdlib/telegram-bot-api, Client.cpp and WebhookActor.cpp.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP, isIPv4 } from "node:net";
import { ApiError, badRequest, tooManyRequests } from "../http/answer.ts";
import type { WebhookState } from "../updates/webhook-delivery.ts";
import type { WebhookRules } from "../world/account.ts";
import type { Call } from "./call.ts";

/** A result with a description beside it, which only the webhook methods have. */
export class DescribedResult {
  readonly result: unknown;
  readonly description: string;

  constructor(result: unknown, description: string) {
    this.result = result;
    this.description = description;
  }
}

const secretBytesMax = 256;
const certificateBytesMax = 3 * 2 ** 20;
const setPauseMs = 1_000;
const cloudPorts: ReadonlySet<string> = new Set(["", "80", "88", "443", "8443"]);

const reserved = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["224.0.0.0", 3],
] as const) {
  reserved.addSubnet(network, prefix, "ipv4");
}

export async function setWebhook(call: Call): Promise<DescribedResult> {
  const { account, around, parameters } = call;
  account.allowedUpdates.set(parameters.jsonOrNothing("allowed_updates"));
  const url = parameters.text("url");
  if (url === "") return deleteWebhook(call);
  const nowMs = around.clock.monotonicMs();
  if (nowMs < account.webhookSetAtMs + setPauseMs) throw tooManyRequests(1);
  const state = readState(call, url);
  const drop = parameters.boolean("drop_pending_updates");
  const unchanged = JSON.stringify(state) === JSON.stringify(account.webhook?.state);
  if (!drop && !state.hasCertificate && unchanged) {
    return new DescribedResult(true, "Webhook is already set");
  }
  account.polling.terminate("terminated by setWebhook request");
  // The old webhook goes before the new one is checked: a refused call leaves no webhook.
  account.setWebhook(undefined);
  if (drop) account.queue.clear("dropped");
  account.webhookTurns += 1;
  const turn = account.webhookTurns;
  await checkWebhook(state, around.webhookRules, certificateBytes(call));
  if (turn !== account.webhookTurns) {
    throw new ApiError(409, "Conflict: terminated by other setWebhook");
  }
  account.webhookSetAtMs = nowMs;
  account.setWebhook(state);
  return new DescribedResult(true, "Webhook was set");
}

function readState({ around, parameters }: Call, url: string): WebhookState {
  const [connectionsMax, connectionsDefault] =
    around.webhookRules === "cloud" ? [100, 40] : [100_000, 100];
  return {
    url,
    maxConnections: parameters.integerWithin(
      "max_connections",
      1,
      connectionsMax,
      connectionsDefault,
    ),
    secretToken: parameters.text("secret_token"),
    ipAddress: parameters.text("ip_address"),
    hasCertificate: parameters.file("certificate") !== undefined,
  };
}

function certificateBytes({ parameters }: Call): number {
  return parameters.file("certificate")?.content.length ?? 0;
}

async function checkWebhook(
  state: WebhookState,
  rules: WebhookRules,
  certificateSize: number,
): Promise<void> {
  const { ipAddress, secretToken, url } = state;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw badRequest("invalid webhook URL specified");
  }
  if (Buffer.byteLength(secretToken) > secretBytesMax) throw badRequest("secret token is too long");
  if (!/^[A-Za-z0-9_-]*$/.test(secretToken)) {
    throw badRequest("secret token contains unallowed characters");
  }
  if (certificateSize > certificateBytesMax) {
    throw badRequest(`certificate size is too big (${certificateSize} bytes)`);
  }
  const { hostname, port, protocol } = new URL(url);
  const cloud = rules === "cloud";
  if (cloud && protocol !== "https:") refuse("An HTTPS URL must be provided for webhook");
  if (cloud && !cloudPorts.has(port)) {
    refuse("Webhook can be set up only on ports 80, 88, 443 or 8443");
  }
  if (ipAddress !== "" && isIP(ipAddress) === 0) refuse("Invalid IP address specified");
  const address = ipAddress || (await resolve(hostname));
  if (cloud && !isIPv4(address)) refuse("IPv6-only addresses are not allowed");
  if (cloud && reserved.check(address, "ipv4")) refuse(`IP address ${address} is reserved`);
}

function refuse(text: string): never {
  throw badRequest(`bad webhook: ${text}`);
}

async function resolve(hostname: string): Promise<string> {
  const bare = hostname.replace(/^\[|\]$/g, "");
  if (isIP(bare) !== 0) return bare;
  try {
    return (await lookup(bare)).address;
  } catch {
    return refuse("Failed to resolve host: Name or service not known");
  }
}

export function deleteWebhook({ account, parameters }: Call): DescribedResult {
  if (parameters.boolean("drop_pending_updates")) account.queue.clear("dropped");
  const description = account.webhook ? "Webhook was deleted" : "Webhook is already deleted";
  account.setWebhook(undefined);
  return new DescribedResult(true, description);
}

export function getWebhookInfo({ account }: Call): unknown {
  const { allowedUpdates, queue, webhook } = account;
  const allowed = allowedUpdates.names;
  const error = webhook?.lastError;
  return {
    url: webhook?.state.url ?? "",
    has_custom_certificate: webhook?.state.hasCertificate ?? false,
    pending_update_count: queue.pending,
    ...(webhook ? { ip_address: webhook.state.ipAddress || "<unknown>" } : {}),
    ...(error ? { last_error_date: error.atEpochS, last_error_message: error.message } : {}),
    ...(webhook ? { max_connections: webhook.state.maxConnections } : {}),
    ...(allowed ? { allowed_updates: allowed } : {}),
  };
}
