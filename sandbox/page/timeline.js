/** Timeline: joins the messages of one author that follow each other, and draws a line for each day. */
import { element } from "./element.js";

const togetherS = 300;

/** @param list The element whose children are messages. It is put in order again. */
export function arrange(list) {
  for (const line of list.querySelectorAll(".day")) line.remove();
  let before;
  let day = "";
  for (const view of [...list.children]) {
    if (!view.dataset.date) continue;
    const date = Number(view.dataset.date);
    const today = dayText(date);
    if (today !== day) list.insertBefore(element("p", "day", today), view);
    const isMessage = view.classList.contains("message");
    const joined =
      isMessage &&
      today === day &&
      before?.dataset.author === view.dataset.author &&
      date - Number(before.dataset.date) < togetherS;
    view.classList.toggle("first", !joined);
    view.classList.add("last");
    if (joined) before.classList.remove("last");
    before = isMessage ? view : undefined;
    day = today;
  }
}

/** @param date Unix seconds. */
function dayText(date) {
  const day = new Date(date * 1000);
  const ageDays = Math.round((startOfDay(new Date()) - startOfDay(day)) / 86_400_000);
  if (ageDays === 0) return "Today";
  if (ageDays === 1) return "Yesterday";
  const year = day.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  return day.toLocaleDateString([], { month: "long", day: "numeric", ...year });
}

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
