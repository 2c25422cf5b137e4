/** Monitoring checks: whether the API answers and says ready, and whether ports are free before a start. */
import { createServer } from "node:net";
import { longWaitMs } from "../../../core/holds.ts";
import { type Check, doubtful, fine, toCheck, wrong } from "../check.ts";
import type { Installation } from "../installation.ts";

export interface ReadyFact {
  /** `undefined` when there was no answer. */
  readonly status: number | undefined;
  readonly reasons: readonly string[];
  readonly address: string;
}

const answerMsMax = 5_000;
/** A bot that listens on all addresses is asked at the loopback address. */
const everywhere: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Asks the bot whether it takes and handles updates. Never rejects. */
export async function askReady(installation: Installation): Promise<ReadyFact> {
  const address = addressOf(installation);
  try {
    const response = await fetch(`${address}/api/ready`, {
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await response.text();
    return { status: response.status, reasons: reasonsOf(text), address };
  } catch {
    // Refused, reset or too slow: there is no answer.
    return { status: undefined, reasons: [], address };
  }
}

function addressOf({ config }: Installation): string {
  const { host, port } = config.monitoring;
  const reached = everywhere[host] ?? host;
  return `http://${reached.includes(":") ? `[${reached}]` : reached}:${port}`;
}

function reasonsOf(text: string): readonly string[] {
  try {
    const { data } = JSON.parse(text) as { data?: { reasons?: unknown } };
    return Array.isArray(data?.reasons) ? data.reasons.map(String) : [];
  } catch {
    // Another program answered; the status says enough.
    return [];
  }
}

export const ready: Check<ReadyFact> = {
  name: "ready",
  applies: "running",
  look: askReady,
  judge: ({ address, reasons, status }) => {
    if (status === 200) return fine(`${address} says ready`);
    if (status === undefined) {
      return wrong(`no answer at ${address}`, "pm2 restart telegram-bot; then npm run doctor");
    }
    if (status !== 503) {
      return wrong(
        `${address} is answered by another program (HTTP ${status})`,
        "Stop that program, or set MONITORING_PORT to a free port and restart the bot.",
      );
    }
    const why = reasons.length > 0 ? reasons.join("; ") : "it gives no reason";
    return doubtful(`not ready: ${why}`, `See ${address}/api/health; it may still be starting.`);
  },
};

interface HoldsFact {
  readonly address: string;
  /** `undefined` when they could not be read. */
  readonly holds: readonly HeldWork[] | undefined;
}

interface HeldWork {
  readonly id: string;
  readonly reason: string;
  readonly waitedMs: number;
}

export const holds: Check<HoldsFact> = {
  name: "holds",
  applies: "running",
  look: async (installation) => {
    const address = addressOf(installation);
    const token = installation.config.monitoring.readToken?.reveal();
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    try {
      const response = await fetch(`${address}/api/holds`, {
        headers,
        signal: AbortSignal.timeout(answerMsMax),
      });
      const { data } = (await response.json()) as { data?: { holds?: readonly HeldWork[] } };
      return { address, holds: data?.holds };
    } catch {
      // The check `ready` says what is wrong.
      return { address, holds: undefined };
    }
  },
  judge: ({ address, holds }) => {
    if (!holds) {
      return doubtful("what holds work back could not be read", `See ${address}/api/holds.`);
    }
    const long = holds.filter(({ waitedMs }) => waitedMs > longWaitMs);
    if (long.length === 0) return fine("nothing waits for long because of a hold");
    return long.map(({ id, reason, waitedMs }) =>
      doubtful(
        `${id} has held work back for ${Math.round(waitedMs / 1000)} s: ${reason}`,
        `See ${address}/api/holds and "What may hold work back" in docs/operations.md.`,
      ),
    );
  },
};

interface PortFact {
  readonly variable: string;
  readonly port: number;
  readonly code: string | undefined;
}

export const freePorts: Check<readonly PortFact[]> = {
  name: "ports",
  applies: "before-start",
  look: async ({ config: { monitoring } }) => {
    const { host, port } = monitoring;
    return [{ variable: "MONITORING_PORT", port, code: await tryToListen(host, port) }];
  },
  judge: (facts) =>
    facts.map(({ code, port, variable }) => {
      if (code === undefined) return fine(`${port} is free`);
      if (code === "EACCES") {
        return wrong(`port ${port} needs root`, `Set ${variable} to a port above 1023 in .env.`);
      }
      return wrong(
        `port ${port} is taken (${code})`,
        `Stop what listens there (ss -ltnp 'sport = :${port}'), or set ${variable} in .env.`,
      );
    }),
};

/** @returns the reason why not, if there is one. */
function tryToListen(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

export const monitoringChecks = [toCheck(ready), toCheck(holds), toCheck(freePorts)];
