/** Intake: updates from Telegram into the queue, by long polls or a webhook. */
import type { RequestListener } from "node:http";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import type { NewMessage } from "../core/message.ts";
import type { Store } from "../core/store.ts";
import type { MeasuredApi } from "../telegram/client/measured-api.ts";
import type { Breaker } from "../telegram/delivery/breaker.ts";
import { Intake } from "../telegram/intake/intake.ts";
import { Polling } from "../telegram/intake/polling.ts";
import { allowedUpdatesWith } from "../telegram/intake/update-message.ts";
import { Webhook } from "../telegram/intake/webhook.ts";
import { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import type { MessageQueue } from "../utils/message-queue.ts";
import type { Runtime } from "./runtime.ts";

export function createIntake(
  { intake }: FaultToleranceConfig,
  parts: Runtime & {
    botId: string;
    queue: MessageQueue;
    store: Store;
    pollingApi: MeasuredApi;
    breaker: Breaker;
    /** Kinds of updates that the bot's handlers ask for. Default: none but the usual ones. */
    updateKinds?: readonly string[];
    /** Answers what the webhook's listener gets for the Mini App. Default: there is none. */
    miniApp?: RequestListener | undefined;
  },
): Replaceable<Intake> {
  const { botId, breaker, clock, holds, miniApp, pollingApi, publish, queue, random, store } =
    parts;
  const allowedUpdates = allowedUpdatesWith(parts.updateKinds ?? []);
  const { mode, pollTimeoutSeconds, webhookHost, webhookPort, webhookSecret, webhookUrl } = intake;
  const deps = {
    api: pollingApi,
    botId,
    clock,
    holds,
    publish,
    random,
    accept: (messages: readonly NewMessage[]) => queue.insertMessageByPriority(messages),
    room: () => queue.room(),
    onHeard: () => breaker.signOfLife(),
    keepsAccepted: store.shared !== undefined,
    standsBy: () => store.shared?.roles.has("intake") === false,
  };
  return new Replaceable(() => {
    if (mode === "polling" || !webhookUrl || !webhookSecret) {
      return new Intake(deps, new Polling({ allowedUpdates, pollTimeoutSeconds }));
    }
    const at = { url: webhookUrl, secret: webhookSecret, host: webhookHost, port: webhookPort };
    return new Intake(deps, new Webhook({ ...at, allowedUpdates, ...(miniApp && { miniApp }) }));
  });
}
