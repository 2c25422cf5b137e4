/** Faults of machines: what happens to processes, links and servers when there are several of each. */
import { eventually, pause } from "../bot-process.ts";
import type { Described } from "../fault.ts";
import type { Seat } from "./database-links.ts";
import { loseCommits } from "./loss.ts";
import { type Machine, type MachinesScene, numberOf, whole } from "./scene.ts";

export interface Stage {
  readonly scene: MachinesScene;
  /** The process that it happens to. */
  readonly victim: Machine;
  /** Milliseconds for which what is broken stays so. */
  readonly lastsMs: number;
}

export interface MachineFault extends Described {
  /** Which process it happens to, where it is played alone. Default: the one that sends. */
  readonly who?: "sender" | "other";
  /** How many processes there are, where it is played alone. Default 2. */
  readonly machines?: 2 | 3;
  readonly lastsMs?: number;
  /** How long it lasts now and then in a long run. Default: as always. */
  readonly lastsMsMax?: number;
  /** Whether it is played in a scene of its own only. Default false. */
  readonly alone?: boolean;
  /** Whether an administrator is told of incidents. Default false. */
  readonly administered?: boolean;
  /** Breaks something, and mends it unless the bot must. */
  play(stage: Stage): Promise<void>;
}

const common = { areas: ["endToEnd", "integration"], detection: { by: "nothing" } } as const;

/** Longer than it takes until PostgreSQL ends the session, so that another process takes over. */
const longMs = 9_000;

function signal({ bot }: Machine, name: NodeJS.Signals): void {
  process.kill(bot.pid ?? 0, name);
}

async function killAndWait({ bot, supervisor }: Machine): Promise<void> {
  const deaths = supervisor.ends.length;
  await bot.kill();
  await supervisor.died(deaths);
}

async function cutNetwork({ lastsMs, victim }: Stage, direction?: "up" | "down"): Promise<void> {
  const cure = await victim.database.add({ kind: "timeout", ms: 0 }, direction);
  await pause(lastsMs);
  await cure();
  // What was cut stays silent, as behind a router that has forgotten its connections.
}

export const machineFaults: readonly MachineFault[] = [
  {
    ...common,
    name: "machines-kill-sender",
    title: "kill -9 of the process that polls and sends",
    how: "kill -9; its supervisor starts it again",
    aim: "kill",
    play: ({ victim }) => killAndWait(victim),
  },
  {
    ...common,
    name: "machines-kill-other",
    title: "kill -9 of a process that only handles",
    how: "kill -9; its supervisor starts it again",
    aim: "kill",
    who: "other",
    play: ({ victim }) => killAndWait(victim),
  },
  {
    ...common,
    name: "machines-stopped",
    title: "a process stands still",
    how: "SIGSTOP, later SIGCONT",
    aim: "machine",
    lastsMs: 12_000,
    lastsMsMax: 60_000,
    play: async ({ lastsMs, victim }) => {
      signal(victim, "SIGSTOP");
      await pause(lastsMs);
      signal(victim, "SIGCONT");
    },
  },
  {
    ...common,
    name: "machines-hang",
    title: "a process's main thread hangs",
    how: "a tight loop; its watchdog ends it",
    aim: "machine",
    play: async ({ victim: { bot, supervisor } }) => {
      const deaths = supervisor.ends.length;
      await bot.sabotage({ kind: "hang", how: "a tight loop" });
      await supervisor.died(deaths);
    },
  },
  {
    ...common,
    name: "machines-kill-in-statement",
    title: "kill -9 while its statement runs",
    how: "a lock holds the statement; kill -9; the statement goes on without its client",
    aim: "kill",
    play: async ({ scene, victim }) => {
      const letGo = await scene.observer.holdTurn(await numberOf(scene, victim));
      await killAndWait(victim);
      await letGo();
    },
  },
  {
    ...common,
    name: "machines-stopped-in-statement",
    title: "a process stands still while its statement runs",
    how: "a lock holds the statement; SIGSTOP; the statement goes on",
    aim: "machine",
    lastsMs: 12_000,
    lastsMsMax: 60_000,
    play: async ({ lastsMs, scene, victim }) => {
      const letGo = await scene.observer.holdTurn(await numberOf(scene, victim));
      signal(victim, "SIGSTOP");
      await letGo();
      await pause(lastsMs);
      signal(victim, "SIGCONT");
    },
  },
  ...(["up", "down"] as const).map(
    (direction): MachineFault => ({
      ...common,
      name: `machines-cut-in-${direction === "up" ? "statement" : "answer"}`,
      title: `its connections are reset in the middle of ${direction === "up" ? "a statement" : "an answer"}`,
      how: "the proxy passes pieces of 60 bytes, then resets",
      aim: "machine",
      play: async ({ victim: { database } }) => {
        const thick = await database.add({ kind: "slicer", bytes: 60, pauseMs: 20 }, direction);
        await pause(300);
        const cure = await database.add({ kind: "reset-peer", ms: 0 });
        await pause(200);
        await Promise.all([thick(), cure()]);
      },
    }),
  ),
  {
    ...common,
    name: "machines-network",
    title: "a process is cut off from PostgreSQL, and reaches Telegram",
    how: "the proxy drops what comes, in both directions, and closes nothing",
    aim: "machine",
    lastsMs: longMs,
    play: (stage) => cutNetwork(stage),
  },
  {
    ...common,
    name: "machines-network-up",
    title: "nothing that a process says reaches PostgreSQL",
    how: "the proxy drops what comes from the process, and closes nothing",
    aim: "machine",
    lastsMs: longMs,
    play: (stage) => cutNetwork(stage, "up"),
  },
  {
    ...common,
    name: "machines-network-down",
    title: "nothing that PostgreSQL says reaches a process",
    how: "the proxy drops what comes from PostgreSQL, and closes nothing",
    aim: "machine",
    lastsMs: longMs,
    play: (stage) => cutNetwork(stage, "down"),
  },
  {
    ...common,
    name: "machines-lost",
    title: "a machine is gone",
    how: "both links go silent, and the process is killed; nobody hears of it",
    aim: "machine",
    lastsMs: longMs,
    play: async ({ lastsMs, victim: { bot, database, supervisor, telegram } }) => {
      const silent = { kind: "timeout", ms: 0 } as const;
      const cures = await Promise.all([database.add(silent), telegram.add(silent)]);
      supervisor.hold();
      await bot.kill();
      await pause(lastsMs);
      await Promise.all(cures.map((cure) => cure()));
      supervisor.release();
    },
  },
  {
    ...common,
    name: "machines-postgres-restart",
    title: "PostgreSQL is ended at once, and starts again",
    how: "SIGQUIT, as pg_ctl -m immediate",
    aim: "outage",
    play: async ({ scene: { cluster } }) => {
      await cluster.primary.stop("QUIT");
      await cluster.primary.start();
    },
  },
  {
    ...common,
    name: "machines-failover",
    title: "the machine of PostgreSQL is lost, and its standby is promoted",
    how: "SIGQUIT, pg_promote(); the processes look for the primary among both hosts",
    aim: "machine",
    machines: 3,
    play: async ({ scene }) => {
      await scene.cluster.primary.stop("QUIT");
      await scene.cluster.promote();
    },
  },
  {
    ...common,
    name: "machines-split-brain",
    title: "the standby is promoted while the former primary runs, and one process still sees that",
    how: "pg_promote(); one process reaches only the former primary, the others only the new one; later it ends",
    aim: "machine",
    machines: 3,
    lastsMs: longMs,
    play: async ({ lastsMs, scene: { cluster, machines }, victim }) => {
      const former = cluster.primarySeat;
      const next = former === 0 ? 1 : 0;
      const cut = ({ database }: Machine, seat: Seat) => database.to(seat).add({ kind: "down" });
      const cures = [await cut(victim, next)];
      await cluster.promote();
      for (const one of machines) if (one !== victim) cures.push(await cut(one, former));
      await pause(lastsMs);
      await cluster.endFormer();
      for (const cure of cures) await cure();
    },
  },
  {
    ...common,
    name: "machines-commits-lost",
    title: "a standby that was behind takes the place of the primary, and commits are gone",
    how: "replication is asynchronous and cut; SIGQUIT of the primary; pg_promote()",
    aim: "machine",
    machines: 3,
    // Time in which people write, buy and are answered, and nothing of it is on the standby.
    lastsMs: 3_000,
    alone: true,
    administered: true,
    play: ({ lastsMs, scene }) => loseCommits(scene, lastsMs),
  },
  {
    ...common,
    name: "machines-standby-lost",
    title: "the standby is lost, so commits wait, and comes back",
    how: "SIGQUIT of the standby, later it starts again",
    aim: "outage",
    lastsMs: longMs,
    play: async ({ lastsMs, scene: { cluster } }) => {
      await cluster.standby.stop("QUIT");
      await pause(lastsMs);
      await cluster.standby.start();
      await cluster.inStep();
    },
  },
  {
    ...common,
    name: "machines-rolling-restart",
    title: "all processes are restarted, one after the other",
    how: "SIGTERM, as an update does; the next one when the last one is back",
    aim: "kill",
    machines: 3,
    play: async ({ scene }) => {
      for (const { bot, supervisor } of scene.machines) {
        const deaths = supervisor.ends.length;
        await bot.stop("SIGTERM");
        await supervisor.died(deaths);
        await eventually("it is back", async () => bot.running);
        await whole(scene);
      }
    },
  },
];
