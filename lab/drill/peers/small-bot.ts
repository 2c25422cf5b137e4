/** Small bot: what the bots of the comparison do with a text, whatever they are built with. */

/** Answers; with `/poison throw` and `/poison wait MS` it fails or dawdles first, as ours does. */
export async function replyTo(text: string): Promise<string> {
  if (text === "/poison throw") throw new Error("a handler with a defect");
  const [, waitMs] = /^\/poison wait (\d+)$/.exec(text) ?? [];
  if (waitMs !== undefined) await new Promise((go) => setTimeout(go, Number(waitMs)));
  return text === "/help"
    ? "This is what I can do:\n\n/start\n/balance\n/shop\n/orders\n/help"
    : "I understand commands only";
}
