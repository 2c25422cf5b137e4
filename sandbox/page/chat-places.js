/** Chat places: the pinned message and the topics above a conversation. */
import { element } from "./element.js";
import { preview } from "./message-view.js";

/** @param show Called when the pinned message is pressed. */
export function drawPinned(place, pinned, show) {
  place.hidden = !pinned;
  if (!pinned) return;
  const button = element("button", "", `📌 ${preview(pinned)}`);
  button.type = "button";
  button.addEventListener("click", () => show(pinned.message_id));
  place.replaceChildren(button);
}

/**
 * @param current The topic on the screen; undefined shows all of them.
 * @param choose Called with a topic's number, or undefined.
 */
export function drawTopics(place, topics, current, choose) {
  place.hidden = topics.length === 0;
  const shown = [{ id: undefined, name: "All" }, ...topics.filter(({ hidden }) => !hidden)];
  const tabs = shown.map(({ closed, id, name }) => {
    const tab = element("button", "", closed ? `${name} 🔒` : name);
    tab.type = "button";
    tab.setAttribute("aria-current", String(id === current));
    tab.addEventListener("click", () => choose(id));
    return tab;
  });
  place.replaceChildren(...tabs);
}

/** Whether a message belongs to the topic. Messages outside of every topic are in the general one. */
export function inTopic(message, topic) {
  return topic === undefined || (message.message_thread_id ?? 1) === topic;
}
