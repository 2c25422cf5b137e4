#!/usr/bin/env node
/** Main: the sandbox as a program. `npm run sandbox -- --help` lists its options. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { FloodMode } from "./control-api.ts";
import { Sandbox, sandboxToken } from "./sandbox.ts";

const usage = `A local Telegram Bot API server with a chat page.

  --port N                    default 3002; 0: a free one
  --host ADDRESS              default 127.0.0.1
  --token TOKEN               accepted token, may be repeated; with /test at its end: in the
                              test environment; default: the sandbox's own
  --flood off|strict|absorb   default strict: 429 as soon as a limit is reached
  --cloud-webhooks            accept only webhooks that api.telegram.org would
  --no-pacing                 do not slow down quick repetitions of getUpdates and 409s
  --local DIRECTORY           as a server with --local: getFile tells paths in this directory
  --scenario FILE             start with a scenario; see scenarios/ for examples
  --seed N                    repeat a run's random choices
  --exit-when-idle-minutes N  end after this long without a request
`;

const exitUsage = 64;
const exitUnavailable = 69;
const idleCheckMs = 5_000;

const { values } = parse();
if (values.help) {
  console.log(usage);
} else {
  await run();
}

function parse() {
  try {
    return parseArgs({
      options: {
        port: { type: "string", default: "3002" },
        host: { type: "string", default: "127.0.0.1" },
        token: { type: "string", multiple: true },
        flood: { type: "string", default: "strict" },
        "cloud-webhooks": { type: "boolean", default: false },
        "no-pacing": { type: "boolean", default: false },
        local: { type: "string" },
        scenario: { type: "string" },
        seed: { type: "string" },
        "exit-when-idle-minutes": { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(problem: string): never {
  console.error(`${problem}\n\n${usage}`);
  process.exit(exitUsage);
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > max) refuse(`--${name} must be a number from 0 to ${max}`);
  return number;
}

function floodMode(text: string): FloodMode {
  if (text === "off" || text === "strict" || text === "absorb") return text;
  return refuse("--flood must be off, strict or absorb");
}

async function run(): Promise<void> {
  const { promise: stopRequested, resolve: requestStop } = Promise.withResolvers<void>();
  const port = wholeNumber("port", values.port, 65_535);
  const sandbox = new Sandbox({
    host: values.host,
    port,
    tokens: values.token ?? [sandboxToken],
    flood: floodMode(values.flood),
    pacing: !values["no-pacing"],
    webhookRules: values["cloud-webhooks"] ? "cloud" : "local",
    ...(values.local === undefined ? {} : { localDirectory: values.local }),
    ...(values.seed === undefined ? {} : { seed: wholeNumber("seed", values.seed, 2 ** 32) }),
    onStop: requestStop,
  });
  process.once("SIGINT", requestStop);
  process.once("SIGTERM", requestStop);
  invitePeople(sandbox);
  playScenario(sandbox, values.scenario);
  try {
    greet(sandbox, (await sandbox.start()).url);
    // The program that started this one waits for it; see ensure.ts.
    if (process.connected) process.send?.(sandbox.control.describe());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(`The sandbox cannot listen on port ${port}: ${reason}`);
    process.exit(exitUnavailable);
  }
  const idle = values["exit-when-idle-minutes"];
  const idleTimer = idle
    ? watchIdle(sandbox, wholeNumber("exit-when-idle-minutes", idle, 10_080) * 60_000, requestStop)
    : undefined;
  await stopRequested;
  clearInterval(idleTimer);
  // The answer to POST /sandbox/stop has to be sent first.
  setImmediate(() => void sandbox.stop().then(() => process.exit(0)));
}

function playScenario({ control }: Sandbox, file: string | undefined): void {
  if (file === undefined) return;
  try {
    control.playScenario(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    refuse(`--scenario ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Creates people to talk as, one for each of the bot's languages. */
function invitePeople({ control }: Sandbox): void {
  const people = [
    { id: 42, firstName: "Ann", username: "ann", languageCode: "en" },
    { id: 43, firstName: "小明", username: "xiaoming", languageCode: "zh" },
    { id: 44, firstName: "Ben", username: "ben", languageCode: "en" },
    { id: 45, firstName: "小红", username: "xiaohong", languageCode: "zh" },
  ];
  for (const person of people) control.createUser(person);
  const memberIds = people.map(({ id }) => id);
  for (const botId of control.describe().botIds) {
    control.createGroup({ id: 1, title: "Sandbox group", memberIds, botId });
    control.createGroup({ id: 2, title: "Sandbox forum", forum: true, memberIds, botId });
  }
}

function greet(sandbox: Sandbox, url: string): void {
  const { bots } = sandbox.control.describe();
  const tokens = bots.map(
    ({ test, token }) => `  TELEGRAM_BOT_TOKEN=${token}${test ? " (test)" : ""}`,
  );
  console.log(`Chat page:  ${url}/
Control API: ${url}/sandbox

Point a bot at it:
  TELEGRAM_API_ROOT=${url}
${tokens.join("\n")}
`);
}

function watchIdle(sandbox: Sandbox, idleMsMax: number, onIdle: () => void): NodeJS.Timeout {
  return setInterval(() => {
    if (sandbox.idleMs() > idleMsMax) onIdle();
  }, idleCheckMs);
}
