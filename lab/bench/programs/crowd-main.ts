/** Crowd main: the bot with its shop, in which many people have an account. */
import { parseConfig } from "../../../bot/config/fault-tolerance-config.ts";
import { launch } from "../../../bot/enhanced-launcher.ts";
import { shippedModule } from "../../../bot/index.ts";
import { shopOf } from "../../../bot/shop/sqlite-tables.ts";

/** Accounts in a transaction, so that each is short. */
const together = 1_000;

const env = Object.entries(process.env).filter(([name]) => !name.startsWith("CROWD"));
const first = Number(process.env["CROWD_FIRST"]);
const count = Number(process.env["CROWD_COUNT"]);
const config = parseConfig(Object.fromEntries(env), undefined, shippedModule.settings);
if (!config.telegram.token) throw new Error("no token");
const running = await launch(config, {
  token: config.telegram.token,
  onFatal: () => process.exit(74),
});
process.on("SIGTERM", () => void running.stop("SIGTERM").then(() => process.exit(0)));

for (let begin = 0; begin < count; begin += together) {
  await running.store.transaction(async (tx) => {
    for (let index = begin; index < Math.min(count, begin + together); index++) {
      await shopOf(tx).insertAccount({ userId: first + index, createdAtEpochMs: tx.nowEpochMs });
    }
  });
}
process.stderr.write(`Health: ${running.monitoringUrl}/api/health\n`);
