/**
 * Compile cache: what Node.js makes of our TypeScript is kept on disk, with the types removed and compiled.
 *
 * Loaded by `--import` before anything else, in the main thread and in each worker. Plain JavaScript,
 * because Node.js loads its TypeScript compiler at the first file that is not in the cache, and keeps it:
 * 18 MB in each thread (measured). A start after a kill has no time to lose either: compiled code halves
 * it (drill, 2 cores under load: 2 s to 0.8 s). The directory is the project's own, so that no other user
 * can put code there. Without the cache everything works, only more slowly.
 */
import module from "node:module";
import { fileURLToPath } from "node:url";

// Node.js before 22.8 has no such cache; start.ts tells that it is too old.
module.enableCompileCache?.(
  fileURLToPath(new URL("../../node_modules/.cache/compiled", import.meta.url)),
);
