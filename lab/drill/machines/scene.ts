/**
 * Scene of machines: several real processes of one bot on one PostgreSQL, and the network between all.
 *
 * Each process has a data directory, a supervisor and links of its own, to both hosts of the database and
 * to Telegram, as on a machine of its own.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SandboxClient, sandboxClient } from "../../../sandbox/client.ts";
import { ensureSandbox } from "../../../sandbox/ensure.ts";
import { seededRandom } from "../../../sandbox/random.ts";
import { BotProcess, eventually } from "../bot-process.ts";
import { Crowd } from "../crowd.ts";
import { FaultProxy } from "../fault-proxy.ts";
import { productionProfile } from "../production-profile.ts";
import { Replies } from "../replies.ts";
import { Supervisor } from "../supervisor.ts";
import { Cluster } from "./cluster.ts";
import { DatabaseLinks } from "./database-links.ts";
import type { Loss } from "./holdings.ts";
import { Observer } from "./observer.ts";

/** A process, and what is its own. */
export interface Machine {
  readonly bot: BotProcess;
  readonly supervisor: Supervisor;
  readonly database: DatabaseLinks;
  readonly telegram: FaultProxy;
  /** Directory of `data` and `logs`. */
  readonly directory: string;
}

export interface MachinesScene {
  readonly machines: readonly Machine[];
  readonly cluster: Cluster;
  readonly observer: Observer;
  readonly sandbox: SandboxClient;
  readonly crowd: Crowd;
  readonly replies: Replies;
  /** The commits that PostgreSQL has confirmed and lost, if a fault made it lose some. */
  readonly losses: Loss[];
  readonly random: () => number;
  /** Its file `encryption.key` has the key of all processes. */
  readonly directory: string;
  /** Ends all processes, and removes all files. */
  close(): Promise<void>;
}

export interface MachinesOptions {
  readonly machines: number;
  readonly seed: number;
  /** Whether an administrator is told of incidents. Default false. */
  readonly administered?: boolean;
}

const clusterName = "cluster";

/** The administrator, if there is one. */
export const adminId = 9_001;

/** Sets the scene. No bot runs yet. */
export async function setMachines(options: MachinesOptions): Promise<MachinesScene> {
  const directory = mkdtempSync(join(tmpdir(), "drill-"));
  // PostgreSQL runs as another user, and has a directory below.
  chmodSync(directory, 0o711);
  const key = randomBytes(32).toString("base64");
  writeFileSync(join(directory, "encryption.key"), key, { mode: 0o600 });
  const cluster = await Cluster.create(join(directory, clusterName));
  const started = await ensureSandbox({ port: 0 });
  const random = seededRandom(options.seed);
  const machines: Machine[] = [];
  for (let index = 0; index < options.machines; index++) {
    const own = join(directory, `machine-${index}`);
    const telegram = new FaultProxy(started.url, random);
    const database = new DatabaseLinks(cluster.addresses, random);
    await Promise.all([telegram.start(), database.start()]);
    const bot = new BotProcess({
      directory: own,
      apiRoot: telegram.url,
      token: started.token,
      env: {
        ...productionProfile,
        DATABASE_URL: database.url,
        ENCRYPTION_KEY: key,
        ...(options.administered && { ADMIN_IDS: String(adminId) }),
      },
    });
    mkdirSync(own);
    machines.push({
      ...{ bot, database, telegram, directory: own },
      supervisor: new Supervisor(bot, join(own, "data")),
    });
  }
  const sandbox = sandboxClient(started.url);
  // Telegram lets a bot write only to people who have written to it.
  if (options.administered) await sandbox.write({ userId: adminId, text: "/help" });
  const people = { writers: 10, shoppers: 3, pauseMs: 2_000, callEveryMs: 200, shopsOn: true };
  const crowd = new Crowd({ sandbox, random, ...people });
  const replies = new Replies(sandbox);
  const { pid } = await sandbox.describe();
  // An interrupted drill must leave nothing behind either; the servers end by themselves.
  const onExit = () => {
    for (const { bot } of machines) if (bot.running) endAtOnce(bot.pid ?? 0);
    endAtOnce(pid);
    // Servers still write, and their directories go with them.
    for (const name of readdirSync(directory)) {
      if (name !== clusterName) rmSync(join(directory, name), { recursive: true, force: true });
    }
  };
  process.once("exit", onExit);
  return {
    ...{ machines, cluster, sandbox, crowd, replies, random, directory, losses: [] },
    observer: new Observer(cluster, `bot_${started.token.split(":")[0]}`),
    close: async () => {
      process.off("exit", onExit);
      crowd.leave();
      replies.stop();
      await Promise.all(machines.map(({ supervisor }) => supervisor.stop("SIGKILL")));
      for (const { database, telegram } of machines) {
        await Promise.all([database.stop(), telegram.stop()]);
      }
      await started.stop();
      await cluster.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Starts all processes, and then the people. Resolves when all work. */
export async function openScene(scene: MachinesScene): Promise<void> {
  const { crowd, machines, observer, replies } = scene;
  // The first one makes the tables.
  for (const { bot, supervisor } of machines) {
    supervisor.start();
    await bot.monitoringUrl();
  }
  await whole(scene);
  await observer.watch();
  replies.start();
  crowd.start();
}

/** Resolves when every process lives on the database, one polls, one sends, and the standby follows. */
export async function whole({ cluster, machines, observer }: MachinesScene): Promise<void> {
  // The database may still believe in the life before; a process says so when its start is done.
  await Promise.all(machines.map(({ bot }) => bot.monitoringUrl()));
  await eventually(
    "every process is back",
    async () => {
      const living = await observer.living();
      const lives = (machine: Machine) => living.some(({ name }) => isOf(name, machine));
      if (!machines.every(lives)) return false;
      const holders = await Promise.all([
        observer.holderOf("intake"),
        observer.holderOf("sending"),
      ]);
      return holders.every(Boolean);
    },
    60_000,
  );
  await cluster.addStandby();
  for (const { database } of machines) database.leadTo(cluster.addresses);
  await cluster.inStep();
}

/** The process that sends, or one that does not. */
export async function find(
  { machines, observer, random }: MachinesScene,
  who: "sender" | "other",
): Promise<Machine> {
  const sender = await eventually("one process sends", () => observer.holderOf("sending"));
  const candidates = machines.filter((one) => isOf(sender.name, one) === (who === "sender"));
  const chosen = candidates[Math.floor(random() * candidates.length)];
  if (!chosen) throw new Error(`there is no process to be the ${who}`);
  return chosen;
}

/** The number of the process's present life. */
export async function numberOf({ observer }: MachinesScene, machine: Machine): Promise<number> {
  const living = await eventually("the process lives", async () =>
    (await observer.living()).find(({ name }) => isOf(name, machine)),
  );
  return Number(living.number);
}

function isOf(name: string, { directory }: Machine): boolean {
  return name.includes(`:${directory}/`);
}

function endAtOnce(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
