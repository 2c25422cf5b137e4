/** Browser: the Chromium of this machine, for tests and screenshots. */
import { existsSync } from "node:fs";

/** The browser's path; `undefined` when there is none. */
export const browserFile = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));

/** These let it run without a window, as root, and without requests to the outside world. */
export const browserArguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
