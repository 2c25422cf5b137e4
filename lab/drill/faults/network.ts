/** Network: faults of the link to Telegram, made with the eight toxics of the fault proxy. */
import type { DrillFault } from "../fault.ts";
import type { Cure } from "../fault-proxy.ts";
import type { Direction, Toxic } from "../toxics.ts";

const common = {
  areas: ["reconnect", "endToEnd"],
  groups: ["T7"],
  aim: "outage",
} as const satisfies Partial<DrillFault>;

const lost = { by: "log", line: /connection\.lost|intake\.failed|breaker\.opened/ } as const;

/** A fault that lasts as long as its toxic. */
function ill(
  name: string,
  title: string,
  toxic: Toxic,
  more: Partial<DrillFault> & { readonly direction?: Direction } = {},
): DrillFault {
  const { direction, ...rest } = more;
  let cure: Cure | undefined;
  return {
    ...common,
    name: `network-${name}`,
    title,
    how: `fault proxy: ${toxic.kind}${direction ? `, ${direction} only` : ""}`,
    detection: { by: "nothing" },
    overlaps: true,
    inject: async ({ network }) => {
      cure = await network.add(toxic, direction);
    },
    end: async () => {
      await cure?.();
    },
    ...rest,
  };
}

export const network: readonly DrillFault[] = [
  ill(
    "down",
    "the network is down for 8 s",
    { kind: "down" },
    {
      detection: lost,
      lastsMs: 8_000,
      quick: true,
    },
  ),
  ill(
    "silent",
    "the link falls silent: half-open connections",
    { kind: "timeout", ms: 0 },
    {
      groups: ["T1", "T7"],
      swallows: true,
      detection: lost,
      lastsMs: 8_000,
    },
  ),
  ill(
    "silent-down",
    "only bytes from Telegram are lost",
    { kind: "timeout", ms: 0 },
    {
      groups: ["T1", "T7", "T8"],
      swallows: true,
      direction: "down",
      detection: lost,
    },
  ),
  ill(
    "timeout",
    "connections are closed without an answer",
    { kind: "timeout", ms: 500 },
    {
      groups: ["T7", "T8"],
      detection: lost,
    },
  ),
  ill(
    "slow",
    "answers take 1.5 s, give or take 1 s",
    { kind: "latency", ms: 1_500, jitterMs: 1_000 },
    {
      lastsMs: 6_000,
    },
  ),
  ill("narrow", "2 KB a second", { kind: "bandwidth", bytesPerSecond: 2_000 }, { lastsMs: 6_000 }),
  ill("slow-close", "ends of connections arrive late", { kind: "slow-close", ms: 2_000 }),
  ill(
    "reset",
    "connections are reset after 300 ms",
    { kind: "reset-peer", ms: 300 },
    {
      groups: ["T7", "T8"],
      detection: lost,
    },
  ),
  ill(
    "sliced",
    "bytes arrive in tiny pieces",
    { kind: "slicer", bytes: 20, pauseMs: 5 },
    { direction: "down" },
  ),
  ill(
    "cut",
    "answers are cut off after 300 bytes",
    { kind: "limit-data", bytes: 300 },
    {
      groups: ["T7", "T8"],
      direction: "down",
      detection: lost,
    },
  ),
  {
    ...common,
    name: "network-down-at-start",
    title: "the network is down at the start",
    how: "the proxy refuses; the process is killed and started again meanwhile",
    detection: lost,
    lastsMs: 6_000,
    inject: async ({ bot, network }) => {
      await network.stop();
      await bot.kill();
    },
    end: ({ network }) => network.start(),
  },
];
