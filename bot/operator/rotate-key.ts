/**
 * Rotation program: `npm run rotate-key`. Asks the running bot for a new data key; where the data are in
 * PostgreSQL, begins the rotation there and waits until it is over, whether processes run or not.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import { ApiRefusedError, UsageError } from "../core/errors.ts";
import { type Invocation, runProgram } from "./program.ts";
import { rotateSharedKey } from "./rotate-shared-key.ts";

const usage = "Usage: npm run rotate-key [-- --bot ID]";
/** The answer comes as soon as the new key is on disk. */
const deadlineMs = 15_000;

await runProgram(usage, 0, async (invocation) => {
  const { databaseUrl } = invocation.config.storage;
  await (databaseUrl ? rotateSharedKey(invocation, databaseUrl) : askBot(invocation));
});

async function askBot({ config, say }: Invocation): Promise<void> {
  const url = `${apiAddress(config)}/api/keys/rotate`;
  const token = operateToken(config);
  const answer = await ask(url, token);
  const body = (await answer.json().catch(() => undefined)) as Body | undefined;
  if (!answer.ok || body?.success !== true) {
    const reason = body?.error?.message ?? "no reason given";
    throw new ApiRefusedError(`${url} answered ${answer.status}: ${reason}`, {
      hint: "Look in the log; the key has not changed unless it says so.",
    });
  }
  say(`New data are encrypted with data key ${body.data?.keyId}.
Older data are re-encrypted in the background; "keys.swept" in the log says when the old key is gone.
Backups made before still need the encryption key that you have; they are not changed.`);
}

interface Body {
  readonly success?: boolean;
  readonly data?: { readonly keyId?: number };
  readonly error?: { readonly message?: string };
}

async function ask(url: string, token: string): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{}",
      signal: AbortSignal.timeout(deadlineMs),
    });
  } catch (cause) {
    throw new ApiRefusedError(`${url} cannot be reached`, {
      cause,
      hint: "Start the bot first; it rotates its keys while it runs.",
    });
  }
}

/** The API's address on this machine; a bot that listens on all addresses is reached at loopback. */
function apiAddress({ monitoring: { host, port } }: FaultToleranceConfig): string {
  if (port === 0) {
    throw new UsageError("MONITORING_PORT is 0, so the bot's port is unknown", {
      hint: "Set MONITORING_PORT for the bot and for this program.",
    });
  }
  const name = { "0.0.0.0": "127.0.0.1", "::": "::1" }[host] ?? host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** The configured token, or the one that the bot has made. */
function operateToken({ monitoring, storage }: FaultToleranceConfig): string {
  const [configured] = monitoring.operateTokens ?? [];
  if (configured) return configured.reveal();
  const file = join(storage.directory, "restart-token");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  throw new UsageError("there is no token for the monitoring API", {
    hint: `Set RESTART_TOKEN, or start the bot once: it makes one in ${file}.`,
  });
}
