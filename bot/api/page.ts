/**
 * Page: the dashboard's files, read from disk on request.
 *
 * The list of files is made once, so that no address of a request becomes a path.
 */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface PageFile {
  readonly bytes: Buffer;
  readonly contentType: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const directory = fileURLToPath(new URL("dashboard", import.meta.url));
const require = createRequire(import.meta.url);
let paths: ReadonlyMap<string, string> | undefined;

/** A file under `/assets/`; `undefined` when there is no file of that name. */
export async function readPageFile(name: string): Promise<PageFile | undefined> {
  paths ??= findFiles();
  const path = paths.get(name);
  const contentType = contentTypes[extname(name)];
  if (path === undefined || contentType === undefined) return undefined;
  return { bytes: await readFile(path), contentType };
}

/** The page itself. */
export async function readPage(): Promise<Buffer> {
  return readFile(join(directory, "index.html"));
}

/** The files by name: the dashboard's own, and the chart library's. */
function findFiles(): ReadonlyMap<string, string> {
  const own = readdirSync(directory).map((name) => [name, join(directory, name)] as const);
  return new Map([
    ...own,
    ["uplot.js", require.resolve("uplot/dist/uPlot.esm.js")],
    ["uplot.css", require.resolve("uplot/dist/uPlot.min.css")],
  ]);
}
