/** Browser: the Chromium of this machine, for tests and screenshots. */
import { existsSync } from "node:fs";

/** `undefined` where there is none. */
export const browserFile = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));

/** Without a window, as root too, and without asking the outside world for anything. */
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
