/** Look-up program: `npm run find-user -- @name`. Which accounts have this username; beside the running bot. */
import { join } from "node:path";
import { encryptionKeysOf } from "../config/key-file.ts";
import { UsageError } from "../core/errors.ts";
import { findUserIds } from "../storage/sqlite/user-lookup.ts";
import { runProgram } from "./program.ts";

const usage = "Usage: npm run find-user -- @NAME [--bot ID]";

await runProgram(usage, 1, ({ config, directory, operands: [name = ""], say }) => {
  const username = /^@?(\w{1,64})$/.exec(name)?.[1];
  if (username === undefined) {
    throw new UsageError("expected a Telegram username, such as @ann", { hint: usage });
  }
  const found = findUserIds(join(directory, "bot.db"), encryptionKeysOf(config.storage), username);
  say(found.length > 0 ? found.join("\n") : `nobody known here is called @${username}`);
});
