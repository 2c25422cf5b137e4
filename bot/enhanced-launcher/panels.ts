/** Panels: what the API shows of a module's panels; looking often costs no more than looking once a second. */
import type { ShownPanel } from "../api/view-and-actions.ts";
import type { Clock } from "../core/clock.ts";
import { withDeadline } from "../core/deadline.ts";
import type { Panel } from "../kit/panel.ts";
import { shared } from "./shared-answer.ts";

/** Milliseconds for which what a panel shows is kept. */
const keptMs = 1_000;
/** Milliseconds that a panel may take: less than the API waits for an answer. */
const readMsMax = 4_000;

export function showPanels(panels: Iterable<Panel>, clock: Clock): readonly ShownPanel[] {
  return [...panels].map(({ name, read, title }) => ({
    name,
    title,
    read: shared(() => readInTime(name, read, clock), clock, keptMs),
  }));
}

/** One that never ends must not keep those that ask later from an answer. */
async function readInTime(name: string, read: Panel["read"], clock: Clock): Promise<unknown> {
  return withDeadline(clock, readMsMax, async () => read(), {
    late: () => {
      throw new Error(`the panel ${name} gave nothing within ${readMsMax} ms`);
    },
  });
}
