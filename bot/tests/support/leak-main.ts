/** The bot with a memory leak, restarted by its own process monitor. */
import { parseConfig } from "../../config/fault-tolerance-config.ts";
import { launch } from "../../enhanced-launcher.ts";

const config = parseConfig(process.env);
if (!config.telegram.token) throw new Error("no token");
const running = await launch(config, {
  token: config.telegram.token,
  onFatal: () => process.exit(74),
  onRestart: ({ type }) => void running.stop(`restart: ${type}`).then(() => process.exit(0)),
});
process.stderr.write(`Health: ${running.monitoringUrl}/api/health\n`);

const kept: Buffer[] = [];
const leak = () => {
  kept.push(Buffer.alloc(8 * 2 ** 20, 1));
  setTimeout(leak, 100);
};
process.on("SIGUSR2", leak);
process.on("SIGTERM", () => void running.stop("SIGTERM").then(() => process.exit(0)));
