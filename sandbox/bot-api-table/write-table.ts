/** Write table: brings `methods.json` up to date, and prints which methods are new or gone. */
import { writeFileSync } from "node:fs";
import { readMethodTable, tablePath } from "./method-table.ts";
import { readInstalledTypes } from "./read-types.ts";

const before = Object.keys(readMethodTable().methods);
const table = readInstalledTypes();
const after = Object.keys(table.methods);
writeFileSync(tablePath, `${JSON.stringify(table, null, 2)}\n`);
const news = after.filter((name) => !before.includes(name));
const gone = before.filter((name) => !after.includes(name));
process.stdout.write(
  `${after.length} methods from ${table.source}; new: ${news.join(", ") || "none"}; gone: ${gone.join(", ") || "none"}\n`,
);
