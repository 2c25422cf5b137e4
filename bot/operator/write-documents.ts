/**
 * Documents program: `npm run docs`. Writes what is made from the table of settings: `.env.example` and
 * docs/configuration.md.
 */
import { writeFileSync } from "node:fs";
import { rootDirectory } from "../config/env-file.ts";
import { configurationDocument, envExample } from "../config/settings-text.ts";
import { shippedModule } from "../index.ts";

process.chdir(rootDirectory);
writeFileSync(".env.example", envExample(shippedModule.settings));
writeFileSync("docs/configuration.md", configurationDocument(shippedModule.settings));
