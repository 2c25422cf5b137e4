/**
 * Changed settings: simulation, drill and kill tests run the production profile. What they change in it is
 * listed here, and is no protective device (P13).
 */
import { expect, test } from "vitest";
import { parseConfig } from "../../bot/config/fault-tolerance-config.ts";
import { settingRows } from "../../bot/config/settings-table.ts";
import { BotProcess } from "../../lab/drill/bot-process.ts";
import { allFaults } from "../../lab/drill/faults/all.ts";
import { productionProfile } from "../../lab/drill/production-profile.ts";
import { simulatedSettings } from "../../lab/simulation/simulated-process.ts";

/** Who the bot is, where its files and ports are, and where Telegram is. */
const places = [
  "DATA_DIR",
  "LOG_DIR",
  "MONITORING_PORT",
  "NODE_ENV",
  "TELEGRAM_API_ROOT",
  "TELEGRAM_BOT_TOKEN",
];

/** Settings that single faults narrow, so that what they are about happens within a drill. */
const narrowed = [
  "HANDLER_SLOW_MS",
  "HANDLER_TIMEOUT_MS",
  "HANG_KILL_MS",
  "INTAKE_POLL_TIMEOUT_SECONDS",
  "MEMORY_LIMIT_MB",
  "QUEUE_ATTEMPTS_MAX",
  "TELEGRAM_CALL_DEADLINE_MS",
];

const rows = new Map(settingRows().map((row) => [row.setting.variable, row]));
const production = {
  NODE_ENV: "production",
  TELEGRAM_BOT_TOKEN: simulatedSettings.TELEGRAM_BOT_TOKEN,
};

test("the simulation changes nothing but its token", () => {
  expect(simulatedSettings.NODE_ENV).toBe("production");
  expect(Object.keys(simulatedSettings).filter((name) => !places.includes(name))).toEqual([]);
});

test("drill and kill tests change only where things are", () => {
  const where = { directory: "directory", apiRoot: "http://127.0.0.1", token: "1:token" };
  const { environment } = new BotProcess({ ...where, env: productionProfile });
  expect(environment["NODE_ENV"]).toBe("production");
  const changed = Object.keys(environment).filter((name) => rows.has(name));
  expect(changed.toSorted()).toEqual(places);
});

const ofFaults = allFaults.flatMap(({ name, setup }) => {
  const given = typeof setup?.env === "function" ? setup.env("directory") : setup?.env;
  const env = Object.fromEntries(Object.entries(given ?? {}).filter(([key]) => rows.has(key)));
  return Object.keys(env).map((variable) => ({ name, variable, env }));
});

test.each(ofFaults)("the fault $name only narrows $variable", ({ env, variable }) => {
  if (variable === "LOG_LEVEL") return;
  expect(narrowed).toContain(variable);
  const read = (all: Readonly<Record<string, string>>): unknown => {
    const { name, part } = rows.get(variable) ?? { name: "", part: "module" as const };
    return (parseConfig(all)[part] as Record<string, unknown>)[name];
  };
  expect(Number(read({ ...production, ...env }))).toBeLessThan(Number(read(production)));
});
