/** Command menu: registers the list behind Telegram's "/" button, only when it has changed. */
import { createHash } from "node:crypto";
import type { JsonObject, NewMessage } from "../../core/message.ts";
import type { FactStore } from "../../core/store.ts";
import type { CommandMenu } from "../../kit/module.ts";
import { toCallMessage } from "./call-message.ts";

const setting = "commands.fingerprint";

/**
 * Queues the registration of the menus if they have changed; the queue retries it until it
 * succeeds.
 */
export async function registerCommandMenus(
  menus: readonly CommandMenu[],
  facts: Pick<FactStore, "getFact" | "setFact">,
  enqueue: (messages: readonly NewMessage[]) => Promise<unknown>,
  nowEpochMs: number,
): Promise<void> {
  const fingerprint = createHash("sha256").update(JSON.stringify(menus)).digest("hex");
  if ((await facts.getFact(setting)) === fingerprint) return;
  await enqueue(menus.map((menu) => toMessage(menu, nowEpochMs)));
  // Written after the enqueue: a crash in between registers the menus twice, which is harmless.
  await facts.setFact(setting, fingerprint);
}

function toMessage(menu: CommandMenu, nowEpochMs: number): NewMessage {
  const payload: JsonObject = {
    commands: menu.commands.map(({ command, description }) => ({ command, description })),
    ...(menu.languageCode !== "" && { language_code: menu.languageCode }),
  };
  return toCallMessage("setMyCommands", payload, {
    type: "send",
    priority: "normal",
    receivedAtEpochMs: nowEpochMs,
  });
}
