/** Checklists: methods that send and edit a list of tasks for a business account. Source: Bot API. */
import { badRequest } from "../http/answer.ts";
import { formatText } from "../text/formatted-text.ts";
import { isRecord } from "../text/reply-markup.ts";
import { businessConnection, type Call, type Effect } from "./call.ts";
import { prepareEdit } from "./editing.ts";
import { prepareMessage } from "./sending.ts";

const titleLengthMax = 255;
const taskLengthMax = 100;
const tasksMax = 30;

export interface Task {
  readonly id: number;
  readonly text: string;
  readonly [other: string]: unknown;
}

/** Telegram's `Checklist`. */
export interface Checklist {
  readonly title: string;
  readonly tasks: readonly Task[];
  readonly others_can_add_tasks?: boolean;
  readonly others_can_mark_tasks_as_done?: boolean;
}

export function sendChecklist(call: Call): Effect {
  const checklist = readChecklist(call);
  businessConnection(call, "can_reply");
  return prepareMessage(call, { content: { checklist } });
}

/** Tasks keep who has done them, by their number. */
export function editMessageChecklist(call: Call): Effect {
  const checklist = readChecklist(call);
  businessConnection(call, "can_reply");
  return prepareEdit(call, (message) => {
    const { checklist: old } = message;
    if (!isRecord(old)) throw badRequest("message can't be edited");
    const before = old["tasks"] as readonly Task[];
    const tasks = checklist.tasks.map((task) => ({
      ...before.find(({ id }) => id === task.id),
      ...task,
    }));
    return { ...message, checklist: { ...checklist, tasks } };
  });
}

function readChecklist({ parameters }: Call) {
  const value = parameters.json("checklist", "can't parse InputChecklist JSON object");
  if (value === undefined) throw badRequest("can't parse InputChecklist JSON object");
  const problem = (text: string) => badRequest(`can't parse InputChecklist: ${text}`);
  if (!isRecord(value)) throw problem("expected an Object");
  const title = formatted(value, "title");
  if (title.title === "") throw badRequest("checklist title must be non-empty");
  if ([...title.title].length > titleLengthMax) throw badRequest("CHECKLIST_TITLE_TOO_LONG");
  const { tasks } = value;
  if (!Array.isArray(tasks)) throw problem("expected an Array of InputChecklistTask");
  if (tasks.length === 0) throw badRequest("checklist must have at least 1 task");
  if (tasks.length > tasksMax) throw badRequest("too many tasks in the checklist");
  const read = tasks.map(readTask);
  if (new Set(read.map(({ id }) => id)).size < read.length) throw badRequest("TODO_ITEM_DUPLICATE");
  const add = value["others_can_add_tasks"] === true ? { others_can_add_tasks: true } : {};
  const mark =
    value["others_can_mark_tasks_as_done"] === true ? { others_can_mark_tasks_as_done: true } : {};
  return { ...title, tasks: read, ...add, ...mark };
}

function readTask(value: unknown): Task {
  const problem = (text: string) => badRequest(`can't parse InputChecklistTask: ${text}`);
  if (!isRecord(value)) throw problem("expected an Object");
  const id = Number(value["id"]);
  if (!Number.isSafeInteger(id) || id <= 0) throw problem("invalid task identifier specified");
  const text = formatted(value, "text");
  if (text["text"] === "") throw badRequest("checklist task text must be non-empty");
  if ([...String(text["text"])].length > taskLengthMax) throw badRequest("TODO_ITEM_TEXT_TOO_LONG");
  return { id, ...text } as unknown as Task;
}

function formatted(value: Readonly<Record<string, unknown>>, name: "title" | "text") {
  const mode = String(value["parse_mode"] ?? "");
  const given = value[name === "title" ? "title_entities" : "text_entities"];
  const { text, entities } = formatText(String(value[name] ?? ""), mode, given);
  const marks = entities.length > 0 ? { [`${name}_entities`]: entities } : {};
  return { [name]: text, ...marks } as {
    readonly title: string;
    readonly [field: string]: unknown;
  };
}
