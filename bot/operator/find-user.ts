/** Look-up program: `npm run find-user -- @name`. Finds the accounts with this username, also while the bot runs. */
import { join } from "node:path";
import { encryptionKeysOf } from "../config/key-file.ts";
import { UsageError } from "../core/errors.ts";
import { readTables } from "../storage/sqlite/table-reader.ts";
import { runProgram } from "./program.ts";

const usage = "Usage: npm run find-user -- @NAME [--bot ID]";

await runProgram(usage, 1, async ({ config, directory, module, operands: [name = ""], say }) => {
  const { name: moduleName, people } = module;
  if (!people) throw new UsageError(`the bot "${moduleName}" keeps no list of people`);
  const username = /^@?(\w{1,64})$/.exec(name)?.[1];
  if (username === undefined) {
    throw new UsageError("expected a Telegram username, such as @ann", { hint: usage });
  }
  const path = join(directory, "bot.db");
  const keys = encryptionKeysOf(config.storage);
  const found = await readTables(path, keys, people, (tables) => tables.findByUsername(username));
  say(found.length > 0 ? found.join("\n") : `no account has the username @${username}`);
});
