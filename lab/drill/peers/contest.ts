/** Contest: plays the scenarios for this bot and its peers, each alone with a sandbox. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sandboxClient } from "../../../sandbox/client.ts";
import { ensureSandbox } from "../../../sandbox/ensure.ts";
import { BotProcess, eventually } from "../bot-process.ts";
import { FaultProxy } from "../fault-proxy.ts";
import { type Outcome, type PeerScenario, scenarios } from "./scenarios.ts";

/** One line of the comparison. */
export interface PeerRow {
  readonly scenario: string;
  readonly outcomes: readonly (Outcome & { readonly contender: string })[];
}

const peer = (name: string) => fileURLToPath(new URL(`./${name}-peer.ts`, import.meta.url));

/** This bot comes first, because the verdict reads the first column. */
const contenders = [
  { name: "this bot" },
  { name: "Telegraf", file: peer("telegraf") },
  { name: "grammY", file: peer("grammy") },
  { name: "grammY runner", file: peer("runner") },
] as const;

export async function comparePeers(narrate: (line: string) => void): Promise<readonly PeerRow[]> {
  const rows: PeerRow[] = [];
  for (const scenario of scenarios) {
    narrate(scenario.title);
    const outcomes = [];
    for (const contender of contenders) {
      const outcome = await play(scenario, "file" in contender ? contender.file : undefined);
      narrate(`        ${contender.name}: ${outcome.text}`);
      outcomes.push({ ...outcome, contender: contender.name });
    }
    rows.push({ scenario: scenario.title, outcomes });
  }
  return rows;
}

async function play(scenario: PeerScenario, file: string | undefined): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), "drill-peer-"));
  const started = await ensureSandbox({ port: 0, arguments: ["--flood", "off"] });
  const sandbox = sandboxClient(started.url);
  const network = new FaultProxy(started.url);
  await network.start();
  const bot = new BotProcess({
    directory,
    apiRoot: network.url,
    token: started.token,
    env: { FLOOD_LIMITS_ENABLED: "false", LOG_LEVEL: "info", INTAKE_POLL_TIMEOUT_SECONDS: "30" },
    ...(file && { file, sabotaged: false }),
  });
  try {
    bot.start();
    await eventually("it polls", async () => (await sandbox.queue()).waiting);
    return await scenario.play({
      sandbox,
      network,
      get running() {
        return bot.running;
      },
      start: () => bot.start(),
      kill: () => bot.kill(),
      stop: () => bot.stop(),
    });
  } catch (error) {
    return { text: error instanceof Error ? error.message : String(error), good: false };
  } finally {
    await bot.kill();
    await network.stop();
    await started.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
