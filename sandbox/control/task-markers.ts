/**
 * Task markers: people who mark the tasks of a checklist as done, and add tasks.
 *
 * Source: Bot API, Checklist, ChecklistTasksDone and ChecklistTasksAdded.
 */
import type { OwnMessage, SandboxControl } from "../control-api.ts";
import type { Checklist, Task } from "../methods/checklists.ts";
import type { Account } from "../world/account.ts";
import type { Message, User } from "../world/objects.ts";
import type { Room } from "../world/room.ts";
import { hear, type PeopleOptions } from "./actors.ts";
import { ControlError } from "./control-error.ts";
import { messageOf, roomOf } from "./places.ts";

type Operations = Pick<SandboxControl, "markTasks" | "addTasks">;
type Request<Name extends keyof Operations> = Parameters<Operations[Name]>[0];

const taskLengthMax = 100;
const tasksMax = 30;

export function createTaskMarkers(options: PeopleOptions): Operations {
  return {
    markTasks: (request) => markTasks(options, request),
    addTasks: (request) => addTasks(options, request),
  };
}

function markTasks(options: PeopleOptions, request: Request<"markTasks">) {
  const place = placeOf(options, request, "others_can_mark_tasks_as_done");
  const { checklist, message, user } = place;
  const done = taskIds(checklist, request.done ?? []);
  const undone = taskIds(checklist, request.undone ?? []);
  const completion_date = options.around.clock.epochS();
  const tasks = checklist.tasks.map((task) => {
    const { completed_by_user, completion_date: _, ...open } = task;
    if (undone.includes(task.id)) return open as Task;
    return done.includes(task.id) ? { ...open, completed_by_user: user, completion_date } : task;
  });
  replaceTasks(place, tasks);
  const told = {
    checklist_message: bare(message),
    ...(done.length > 0 ? { marked_as_done_task_ids: done } : {}),
    ...(undone.length > 0 ? { marked_as_not_done_task_ids: undone } : {}),
  };
  return tell(place, { checklist_tasks_done: told });
}

function addTasks(options: PeopleOptions, request: Request<"addTasks">) {
  const place = placeOf(options, request, "others_can_add_tasks");
  const { checklist, message } = place;
  const { texts } = request;
  const fits = (text: unknown) =>
    typeof text === "string" && text.trim() !== "" && text.length <= taskLengthMax;
  if (!Array.isArray(texts) || texts.length === 0 || !texts.every(fits)) {
    throw new ControlError(
      400,
      `texts must be a list of texts of up to ${taskLengthMax} characters`,
    );
  }
  if (checklist.tasks.length + texts.length > tasksMax) {
    throw new ControlError(400, `a checklist has at most ${tasksMax} tasks`);
  }
  const last = Math.max(...checklist.tasks.map(({ id }) => id));
  const tasks = texts.map((text, index) => ({ id: last + index + 1, text }));
  replaceTasks(place, [...checklist.tasks, ...tasks]);
  return tell(place, { checklist_tasks_added: { checklist_message: bare(message), tasks } });
}

interface Place {
  readonly account: Account;
  readonly room: Room;
  readonly user: User;
  readonly message: Message;
  readonly checklist: Checklist;
}

function placeOf(
  { account: accountFor, actors }: PeopleOptions,
  request: OwnMessage,
  permission: "others_can_mark_tasks_as_done" | "others_can_add_tasks",
): Place {
  const account = accountFor(request.botId);
  const user = actors.user(request.userId);
  const room = roomOf(account, { chatId: user.id, ...request });
  const message = messageOf(room, request.messageId);
  const checklist = message["checklist"] as Checklist | undefined;
  if (!checklist) throw new ControlError(400, "the message has no checklist");
  if (message.from?.id !== user.id && !checklist[permission]) {
    throw new ControlError(400, `the checklist does not let others do this: ${permission}`);
  }
  return { account, room, user, message, checklist };
}

function taskIds({ tasks }: Checklist, ids: readonly number[]): readonly number[] {
  if (!Array.isArray(ids)) throw new ControlError(400, "done and undone must be lists of numbers");
  const unknown = ids.find((id) => !tasks.some((task) => task.id === id));
  if (unknown !== undefined) throw new ControlError(404, `the checklist has no task ${unknown}`);
  return ids;
}

function replaceTasks(place: Place, tasks: readonly Task[]): void {
  const { account, checklist, message, room } = place;
  const fresh = { ...message, checklist: { ...checklist, tasks } };
  room.put(fresh);
  account.changed({ kind: "edited", ...room.place, message: fresh });
}

/** A message inside of another one repeats no answer. */
function bare({ reply_to_message, ...message }: Message): object {
  return message;
}

/** Posts a service message, of which the bot hears. */
function tell({ account, room, user }: Place, content: object) {
  return { updateId: hear(account, room, account.post(room, user, { ...content })) };
}
