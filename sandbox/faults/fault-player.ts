/** Fault player: makes one request go wrong in the way its fault says. */
import type { Fault } from "../control-api.ts";
import { type Answer, ApiError, failWith } from "../http/answer.ts";
import type { Exchange } from "../http/exchange.ts";
import { otherPollConflict } from "../updates/update-polling.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import type { Account } from "../world/account.ts";

export interface FaultScene {
  readonly fault: Fault;
  readonly exchange: Exchange;
  /** Executes the method. Never throws. */
  readonly run: () => Answer | Promise<Answer>;
  /** Sends the whole answer, and journals it. */
  readonly send: (answer: Answer) => void;
  /** Journals an answer that is sent in some other way. */
  readonly note: (status: number) => void;
  readonly account: Account;
  readonly clock: VirtualClock;
}

const anyAnswer: Answer = { status: 200, body: '{"ok":true,"result":true}' };
const conflictMsDefault = 50;

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  409: "Conflict",
  429: "Too Many Requests",
  500: "Internal Server Error",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** Never rejects. */
export async function playFault(scene: FaultScene): Promise<void> {
  const { fault, exchange, send, note, account, clock } = scene;
  switch (fault.kind) {
    case "latency":
      return playLatency(scene, fault.ms, fault.when ?? "before");
    case "hang": {
      const answer = await executed(scene, fault.execute ?? false);
      if (fault.at === "after-headers") exchange.sendHeadOnly(answer ?? anyAnswer);
      return;
    }
    case "close":
      await executed(scene, fault.execute ?? false);
      return exchange.destroy();
    case "cut": {
      const answer = await executed(scene, fault.execute ?? true);
      note(answer?.status ?? 200);
      return exchange.sendCut(answer ?? anyAnswer, fault.framing);
    }
    case "html":
      await executed(scene, fault.execute ?? false);
      note(fault.status);
      return exchange.sendContent(fault.status, "text/html", htmlPage(fault.status));
    case "error":
      await executed(scene, fault.execute ?? false);
      return send(errorAnswer(fault));
    case "conflict":
      await clock.sleep(fault.afterMs ?? conflictMsDefault);
      return send(await account.polling.conflict(otherPollConflict));
  }
}

async function executed(scene: FaultScene, execute: boolean): Promise<Answer | undefined> {
  return execute ? await scene.run() : undefined;
}

async function playLatency(scene: FaultScene, ms: number, when: "before" | "after") {
  if (when === "before") await scene.clock.sleep(ms);
  const answer = await scene.run();
  if (when === "after") await scene.clock.sleep(ms);
  scene.send(answer);
}

function errorAnswer(fault: Fault & { readonly kind: "error" }): Answer {
  const { status, retryAfterS, migrateToChatId } = fault;
  const retryAfter = status === 429 ? (retryAfterS ?? 1) : retryAfterS;
  const usual =
    status === 429 ? `Too Many Requests: retry after ${retryAfter}` : (reasons[status] ?? "Error");
  const parameters = {
    ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
    ...(migrateToChatId === undefined ? {} : { migrate_to_chat_id: migrateToChatId }),
  };
  const given = Object.keys(parameters).length > 0 ? parameters : undefined;
  return failWith(new ApiError(status, fault.description ?? usual, given));
}

/** An error page like nginx's. */
function htmlPage(status: number): string {
  const title = `${status} ${reasons[status] ?? "OK"}`;
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
}
