/**
 * Rotation of the data key in PostgreSQL, by the program: makes the new key, and shows how far the processes
 * are with it. Where none of them sweeps, because none runs, the program does it.
 */
import { basename } from "node:path";
import { encryptionKeysOf } from "../config/key-file.ts";
import { systemClock } from "../core/clock.ts";
import type { Secret } from "../core/secret.ts";
import { Connection } from "../storage/postgres/connection.ts";
import { DataKeys } from "../storage/postgres/data-keys.ts";
import {
  KeyRotation,
  type RotationState,
  type UnawareProcess,
} from "../storage/postgres/key-rotation.ts";
import { expectMigrated, schemaOf } from "../storage/postgres/schema.ts";
import { lockClass, lockOf } from "../storage/postgres/session-locks.ts";
import { stepSettings } from "../storage/postgres/session-rules.ts";
import { documentTables } from "../storage/sqlite/document-table.ts";
import type { Invocation } from "./program.ts";

/** Milliseconds after which PostgreSQL gives up on this program in the middle of a transaction. */
const sessionMs = 5_000;
const lookEveryMs = 500;

/** Resolves when the new key is the only one. Rejects when the database is lost; then it can be run again. */
export async function rotateSharedKey(
  { config, directory, module, say }: Invocation,
  url: Secret,
): Promise<void> {
  const schema = schemaOf(basename(directory));
  const connection = await Connection.open({ url, schema, settings: stepSettings(sessionMs) });
  try {
    await expectMigrated(connection, schema);
    const keys = encryptionKeysOf(config.storage);
    const rotation = new KeyRotation({
      dataKeys: new DataKeys(keys),
      keys,
      now: () => systemClock.epochMs(),
      publish: () => {},
      tableSets: [documentTables, ...(module.tables ?? [])],
      use: (work) => work(connection),
    });
    const keyId = await rotation.begin();
    say(
      `Data key ${keyId} is made. If this program ends early, the bot goes on; so does this program.`,
    );
    await watch(connection, rotation, say);
    say(`All data are encrypted with data key ${keyId}, and the older keys are deleted.
Backups made before still need the encryption key that you have; they are not changed.`);
  } finally {
    await connection.end();
  }
}

async function watch(
  connection: Connection,
  rotation: KeyRotation,
  say: (line: string) => void,
): Promise<void> {
  let said = "";
  let mine = false;
  for (;;) {
    // The process that sweeps does the work, so that it is done once.
    mine ||= await takeSweeping(connection);
    const state = mine ? await rotation.advance(async () => true) : await rotation.look();
    if (state.kind === "none") return;
    const line = describe(state);
    if (line !== "" && line !== said) say(line);
    said = line;
    await systemClock.sleep(lookEveryMs, new AbortController().signal);
  }
}

async function takeSweeping(connection: Connection): Promise<boolean> {
  const [row] = await connection.all<{ ok: boolean }>(
    `SELECT pg_try_advisory_lock(${lockClass}, ${lockOf("sweeping")}) AS ok`,
  );
  return row?.ok === true;
}

function describe(state: RotationState & { readonly kind: "waiting" | "sealing" }): string {
  if (state.kind === "sealing") {
    return `New data are encrypted with data key ${state.keyId}. Older data are being re-encrypted.`;
  }
  const { processes } = state;
  if (processes.length === 0) return "";
  return [
    ...processes.map((one) => `Waits for ${nameOf(one)}, which does not know the key yet.`),
    ...(processes.some(({ old }) => old)
      ? ["A process of an older version learns of no key: restart it with this version."]
      : []),
    "A process that stands still is waited for until PostgreSQL ends its session, for 5 s at most.",
  ].join("\n");
}

function nameOf({ host, number, pid, version }: UnawareProcess): string {
  return `process ${number} (${host}, pid ${pid}, version ${version})`;
}
