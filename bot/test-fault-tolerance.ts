/** The drill: breaks a real running bot on purpose, and reports what happened. See `--help`. */
import { runDrill } from "../lab/drill/drill.ts";

process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));
process.exitCode = await runDrill(process.argv.slice(2), (line) => {
  process.stdout.write(`${line}\n`);
});
