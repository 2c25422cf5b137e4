/** PM2 checks: the process that PM2 runs, the settings it runs it with, and its dump file. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Check, doubtful, fine, type Judgement, toCheck, wrong } from "../check.ts";
import { appName, askPm2, type Pm2Settings, type Pm2State } from "../pm2.ts";
import { holderPid } from "./database.ts";
import { lastWords } from "./directories.ts";

const startIt = "./deploy-fault-tolerance.sh";

export interface ProcessFact {
  readonly pm2: Pm2State;
  /** The process that holds the data. */
  readonly holder: number | undefined;
  readonly lastWords: string;
  readonly nowEpochMs: number;
}

export const pm2Process: Check<ProcessFact> = {
  name: "PM2 process",
  applies: "running",
  look: async (installation) => ({
    pm2: await askPm2(installation),
    holder: holderPid(installation),
    lastWords: lastWords(installation),
    nowEpochMs: installation.clock.epochMs(),
  }),
  judge: ({ holder, lastWords: said, nowEpochMs, pm2 }) => {
    if (typeof pm2 === "string") return judgeWithout(pm2, holder);
    const [app, ...more] = pm2;
    if (!app) return wrong(`PM2 knows no ${appName}`, startIt);
    if (more.length > 0) {
      return wrong(`PM2 runs ${pm2.length} bots; only one can poll`, `pm2 scale ${appName} 1`);
    }
    if (holder !== undefined && holder !== app.pid) {
      return wrong(
        `process ${holder} holds the data, and PM2 (${app.pid || "no process"}) does not run it`,
        `kill ${holder}: it finishes its work, and PM2's bot takes over`,
      );
    }
    const asSaid = said === "" ? "" : `; it last said: ${said.split("\n").at(-1)}`;
    if (app.status !== "online") {
      return wrong(
        `PM2 calls it ${app.status} (exit code ${app.exitCode ?? "unknown"})${asSaid}`,
        app.exitCode === 78 ? `Correct .env, then: pm2 restart ${appName}` : startIt,
      );
    }
    const minutes = Math.round((nowEpochMs - app.startedAtEpochMs) / 60_000);
    return fine(`online for ${minutes} min, started again ${app.restarts} times`);
  },
};

function judgeWithout(pm2: "no-daemon" | "no-pm2", holder: number | undefined): Judgement {
  if (pm2 === "no-pm2") return wrong("PM2 is not installed", startIt);
  return holder === undefined
    ? wrong("PM2 does not run", "pm2 resurrect, or ./deploy-fault-tolerance.sh")
    : wrong(
        `PM2 does not run; process ${holder} runs without it, and nothing would start it again`,
        `pm2 resurrect, then kill ${holder}: PM2's bot takes over`,
      );
}

/** Settings that would keep the bot down or start it twice: the setting, and when it is wrong. */
const settingRules: readonly {
  readonly setting: keyof Pm2Settings;
  readonly bad: (value: unknown) => boolean;
  readonly because: string;
  readonly to: string;
}[] = [
  {
    setting: "stop_exit_codes",
    bad: (value) => codes(value).includes(0),
    because: "PM2 sees a kill by a signal as exit code 0, and would leave the bot down",
    to: "[78]",
  },
  {
    setting: "stop_exit_codes",
    bad: (value) => !codes(value).includes(78),
    because: "PM2 would restart for ever with wrong settings (exit code 78)",
    to: "[78]",
  },
  {
    setting: "autorestart",
    bad: (value) => value === false || value === "false",
    because: "PM2 would not start the bot again",
    to: "true",
  },
  {
    setting: "max_restarts",
    bad: (value) => Number(value ?? 16) < 1_000_000,
    because: "PM2 would give up for good after a few early ends",
    to: "1_000_000_000",
  },
  {
    setting: "kill_timeout",
    bad: (value) => Number(value ?? 1_600) < 10_000,
    because: "PM2 would kill the bot before it has finished its work",
    to: "15_000",
  },
  {
    setting: "exec_mode",
    bad: (value) => !String(value ?? "fork").startsWith("fork"),
    because: "polling does not work in cluster mode",
    to: '"fork"',
  },
  {
    setting: "instances",
    bad: (value) => Number(value ?? 1) !== 1,
    because: "only one process can poll",
    to: "1",
  },
  {
    setting: "watch",
    bad: (value) => value !== undefined && value !== false,
    because: "its own log and data would restart the bot",
    to: "false",
  },
  {
    setting: "filter_env",
    bad: (value) => !(Array.isArray(value) && value.includes("")),
    because: "PM2 would write its whole environment, secrets too, into dump.pm2",
    to: '[""]',
  },
];

function codes(value: unknown): readonly number[] {
  return [value].flat().map(Number);
}

/** Returns the faults of these PM2 settings. @param where Where they come from, for the operator. */
export function judgeSettings(settings: Pm2Settings, where: string): readonly Judgement[] {
  return settingRules
    .filter(({ bad, setting }) => bad(settings[setting]))
    .map(({ because, setting, to }) =>
      wrong(
        `${where}: ${setting} is ${JSON.stringify(settings[setting])}: ${because}`,
        `Set ${setting}: ${to} in ecosystem.config.js and run ${startIt}`,
      ),
    );
}

export const ecosystem: Check<readonly [string, Pm2Settings][]> = {
  name: "ecosystem",
  applies: "always",
  look: async (installation) => {
    const file = join(installation.packageDirectory, "ecosystem.config.js");
    const { apps } = (await import(pathToFileURL(file).href)) as {
      apps: (Pm2Settings & { name: string })[];
    };
    const pm2 = await askPm2(installation);
    const kept = typeof pm2 === "string" ? [] : pm2;
    return [
      ...apps
        .filter(({ name }) => name === appName)
        .map((app): [string, Pm2Settings] => ["ecosystem.config.js", app]),
      ...kept.map(({ settings }): [string, Pm2Settings] => ["the running one", settings]),
    ];
  },
  judge: (all) => {
    if (all.length === 0)
      return wrong(`it has no app ${appName}`, "git checkout ecosystem.config.js");
    const found = all.flatMap(([where, settings]) => judgeSettings(settings, where));
    return found.length > 0 ? found : fine("PM2 never gives up, and stops only at exit code 78");
  },
};

export interface DumpFact {
  readonly name: string;
  readonly exists: boolean;
  /** Whether it knows our app. */
  readonly saved: boolean;
  readonly hasToken: boolean;
}

const anyToken = /\b\d{6,12}:[\w-]{30,}/;

export const dump: Check<readonly DumpFact[]> = {
  name: "PM2 dump",
  applies: "running",
  look: ({ config, pm2Home }) =>
    ["dump.pm2", "dump.pm2.bak"].map((name) => {
      const path = join(pm2Home, name);
      const text = existsSync(path) && statSync(path).isFile() ? readFileSync(path, "utf8") : "";
      const token = config.telegram.token?.reveal();
      const hasToken = anyToken.test(text) || (token !== undefined && text.includes(token));
      return { name, exists: text !== "", saved: text.includes(`"${appName}"`), hasToken };
    }),
  judge: (facts) => {
    const leaking = facts.filter(({ hasToken }) => hasToken).map(({ name }) => name);
    if (leaking.length > 0) {
      return wrong(
        `${leaking.join(" and ")} holds a bot token in plain text`,
        `env -u TELEGRAM_BOT_TOKEN -u BOT_TOKEN ${startIt}, remove dump.pm2.bak, and renew the token at @BotFather`,
      );
    }
    if (!facts.some(({ name, saved }) => name === "dump.pm2" && saved)) {
      return doubtful("after a reboot PM2 would not know the bot", "pm2 save");
    }
    return fine("it knows the bot and holds no token");
  },
};

export const pm2Checks = [toCheck(pm2Process), toCheck(ecosystem), toCheck(dump)];
