/** Small bot: the replies that all bots of the comparison give. */

/** The reply to a text. `/poison throw` fails and `/poison wait MS` waits first, as in our bot. */
export async function replyTo(text: string): Promise<string> {
  if (text === "/poison throw") throw new Error("a handler with a defect");
  const [, waitMs] = /^\/poison wait (\d+)$/.exec(text) ?? [];
  if (waitMs !== undefined) await new Promise((go) => setTimeout(go, Number(waitMs)));
  return text === "/help"
    ? "This is what I can do:\n\n/start\n/balance\n/shop\n/orders\n/help"
    : "I understand commands only";
}
