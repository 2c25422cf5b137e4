/**
 * Documents program: `npm run docs`. Writes what is made from the table of settings: `.env.example` and
 * docs/configuration.md.
 */
import { writeFileSync } from "node:fs";
import { rootDirectory } from "./env-file.ts";
import { configurationDocument, envExample } from "./settings-text.ts";

process.chdir(rootDirectory);
writeFileSync(".env.example", envExample());
writeFileSync("docs/configuration.md", configurationDocument());
