/** Alert webhook: posts an alert to a service other than Telegram. */
import { BotError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";

/** The webhook did not accept an alert. */
export class AlertNotPostedError extends BotError {
  override readonly code = "ALERT_NOT_POSTED";
  override readonly transient = true;
}

/** Rejects with `AlertNotPostedError`, which omits the address because it may contain a key. */
export async function postAlert(url: Secret, text: string, signal: AbortSignal): Promise<void> {
  const answer = await fetch(url.reveal(), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
    redirect: "error",
    signal,
  }).catch(() => {
    throw new AlertNotPostedError("the alert webhook cannot be reached");
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new AlertNotPostedError(`the alert webhook answered ${answer.status}`);
}
