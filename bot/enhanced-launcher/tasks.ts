/** Tasks: brings the schedules in the queue in step with those of the module, and opens the outbox. */
import type { Component } from "../core/component.ts";
import type { NewMessage } from "../core/message.ts";
import type { EnqueueResult, Store } from "../core/store.ts";
import type { Schedule } from "../kit/schedule.ts";
import type { MessageOutbox } from "../telegram/context/outbox.ts";
import { dueMessages, scheduleKey } from "../telegram/context/task-handler.ts";

/** The specs of the schedules at the last start, by name. */
const collection = "kit:schedules";
const pageMax = 1_000;

export interface TasksDeps {
  readonly store: Pick<Store, "transaction">;
  readonly schedules: ReadonlyMap<string, Schedule>;
  readonly outbox: MessageOutbox;
  readonly now: () => number;
}

/**
 * Starts before the queue works on anything, so that no instant of an old timetable is run.
 *
 * @param enqueue Called once the store is open.
 */
export function createTasks(
  { now, outbox, schedules, store }: TasksDeps,
  enqueue: (messages: readonly NewMessage[]) => Promise<readonly EnqueueResult[]>,
): Component {
  return {
    name: "tasks",
    start: async () => {
      const missing = await takeStock(store, schedules);
      const due = missing.flatMap((one) => dueMessages(one, one.instants.next(now())));
      if (due.length > 0) await enqueue(due);
      outbox.open(enqueue);
    },
    stop: async () => outbox.stop(),
  };
}

/** Takes away what waits for schedules that are gone or changed. @returns those that nothing waits for. */
async function takeStock(
  store: TasksDeps["store"],
  schedules: TasksDeps["schedules"],
): Promise<readonly Schedule[]> {
  return store.transaction(async ({ documents, messages }) => {
    const before = await documents.list<string>(collection, { limit: pageMax });
    for (const { key: name, value: spec } of before) {
      if (schedules.get(name)?.spec === spec) continue;
      await messages.cancel(scheduleKey(name));
      await documents.delete(collection, name);
    }
    const missing: Schedule[] = [];
    for (const schedule of schedules.values()) {
      const { kind } = await messages.find(scheduleKey(schedule.name));
      if (kind !== "waiting" && kind !== "in-hand") missing.push(schedule);
      await documents.put(collection, schedule.name, schedule.spec);
    }
    return missing;
  });
}
