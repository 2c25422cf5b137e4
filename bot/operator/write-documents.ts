/**
 * Documents program: `npm run docs`. Writes what is made from the table of settings: `.env.example` and
 * docs/configuration.md.
 */
import { writeFileSync } from "node:fs";
import { rootDirectory } from "../config/env-file.ts";
import { configurationDocument, envExample } from "../config/settings-text.ts";
import { botModule } from "../index.ts";

process.chdir(rootDirectory);
writeFileSync(".env.example", envExample(botModule.settings));
writeFileSync("docs/configuration.md", configurationDocument(botModule.settings));
