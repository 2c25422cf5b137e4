/** The bot with a memory leak, restarted by its own process monitor. */
import { announce, launchForTest } from "./launch-for-test.ts";

announce(await launchForTest(process.env));

const kept: Buffer[] = [];
const leak = () => {
  kept.push(Buffer.alloc(8 * 2 ** 20, 1));
  setTimeout(leak, 100);
};
process.on("SIGUSR2", leak);
