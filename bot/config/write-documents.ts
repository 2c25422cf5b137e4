/**
 * Documents program: `npm run docs`. Writes what is made from the table of settings: the README's table,
 * `.env.example` and docs/configuration.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { rootDirectory } from "./env-file.ts";
import { configurationDocument, envExample, settingsTable } from "./settings-text.ts";

const between = /(?<=<!-- settings -->\n)[\s\S]*(?=<!-- \/settings -->)/;

process.chdir(rootDirectory);
const readme = readFileSync("README.md", "utf8");
if (!between.test(readme)) {
  throw new Error(
    'README.md: expected "<!-- settings -->" and "<!-- /settings -->", each in a line',
  );
}
writeFileSync(
  "README.md",
  readme.replace(between, () => settingsTable()),
);
writeFileSync(".env.example", envExample());
writeFileSync("docs/configuration.md", configurationDocument());
