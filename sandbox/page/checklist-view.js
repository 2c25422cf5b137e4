/** Checklist view: tasks that a person ticks, and a line to add another one. */
import { element } from "./element.js";

/**
 * @param checklist Telegram's checklist object.
 * @param mine Whether the person in front of the page wrote it.
 * @param on `tick(taskId, done)` and `addTask()`.
 */
export function checklistView(checklist, mine, on) {
  const { tasks, title } = checklist;
  const view = element("div", "checklist");
  const list = element("ul");
  const mayMark = mine || checklist.others_can_mark_tasks_as_done === true;
  list.append(...tasks.map((task) => taskLine(task, mayMark, on)));
  const done = tasks.filter(isDone).length;
  view.append(
    element("strong", "", title),
    element("span", "faint", mayMark ? "Checklist" : "Checklist of another person"),
    list,
  );
  if (mine || checklist.others_can_add_tasks) {
    const add = element("button", "add", "+ Add a task");
    add.type = "button";
    add.addEventListener("click", on.addTask);
    view.append(add);
  }
  view.append(element("span", "faint", `${done} of ${tasks.length} done`));
  return view;
}

/** A date of 0 is none, as at Telegram. */
function isDone({ completion_date }) {
  return Boolean(completion_date);
}

function taskLine(task, mayMark, on) {
  const line = element("li");
  const label = element("label");
  const box = element("input");
  Object.assign(box, { type: "checkbox", checked: isDone(task), disabled: !mayMark });
  box.addEventListener("change", () => on.tick(task.id, box.checked));
  const words = element("span", "", task.text);
  const { completed_by_user: by } = task;
  label.append(box, words);
  if (by) label.append(element("span", "faint", by.first_name));
  line.append(label);
  return line;
}
