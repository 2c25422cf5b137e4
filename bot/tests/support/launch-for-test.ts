/** Launch for tests: the real bot in a process of its own that a test main adds something to. */
import { parseConfig } from "../../config/fault-tolerance-config.ts";
import { launch, type Running } from "../../enhanced-launcher.ts";

/** @param env As the process has it, less what is the test main's own. */
export async function launchForTest(
  env: Readonly<Record<string, string | undefined>>,
): Promise<Running> {
  const config = parseConfig(env);
  if (!config.telegram.token) throw new Error("no token");
  const running = await launch(config, {
    token: config.telegram.token,
    onFatal: () => process.exit(74),
    onRestart: ({ type }) => void endWith(running, `restart: ${type}`),
  });
  process.on("SIGTERM", () => void endWith(running, "SIGTERM"));
  return running;
}

/** Says that it is up, in the words the test waits for. */
export function announce({ monitoringUrl }: Running): void {
  process.stderr.write(`Health: ${monitoringUrl}/api/health\n`);
}

async function endWith(running: Running, reason: string): Promise<void> {
  await running.stop(reason);
  process.exit(0);
}
