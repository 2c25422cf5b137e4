/**
 * Limit line: fetches updates and posts a message for each, with undici and nothing else.
 *
 * No bot on Node.js gets much above it, because it has no router, no context and no order, and it
 * confirms updates that it has not answered yet. At most two batches are on the way.
 */
import { Pool } from "undici";
import { replyTo } from "../../drill/peers/small-bot.ts";

interface Update {
  readonly update_id: number;
  readonly message?: { readonly chat: { readonly id: number }; readonly text?: string };
}

const { origin } = new URL(process.env["TELEGRAM_API_ROOT"] ?? "");
const pool = new Pool(origin, { connections: 50, headersTimeout: 60_000 });

let offset = 0;
let before: Promise<unknown> = Promise.resolve();
while (true) {
  const updates = (await call("getUpdates", { offset, limit: 100, timeout: 30 })) as Update[];
  offset = (updates.at(-1)?.update_id ?? offset - 1) + 1;
  await before;
  before = Promise.all(updates.map(answer));
}

async function answer({ message }: Update): Promise<void> {
  if (message?.text === undefined) return;
  await call("sendMessage", { chat_id: message.chat.id, text: await replyTo(message.text) });
}

async function call(method: string, parameters: object): Promise<unknown> {
  const { body } = await pool.request({
    path: `/bot${process.env["TELEGRAM_BOT_TOKEN"]}/${method}`,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(parameters),
  });
  return ((await body.json()) as { readonly result: unknown }).result;
}
