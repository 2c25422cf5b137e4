/** Reactions view: what stands under a message, and a row of emoji to choose from. */
import { element } from "./element.js";

const emojis = ["👍", "❤", "🔥", "🎉", "😁", "🤔", "👎"];

/**
 * @param reactions Counts, as the control API gives them.
 * @param react Called with the emoji that was pressed.
 */
export function reactionsView(reactions, react) {
  const view = element("div", "reactions");
  for (const { type, total_count } of reactions) {
    const text = type.emoji ?? "★";
    const button = element("button", "reaction", `${text} ${total_count}`);
    button.type = "button";
    button.setAttribute("aria-label", `${text}, ${total_count}`);
    button.addEventListener("click", () => react(text));
    view.append(button);
  }
  view.append(picker(react));
  return view;
}

function picker(react) {
  const box = element("details", "picker");
  const opener = element("summary", "", "☺");
  opener.setAttribute("aria-label", "React");
  const choices = element("div", "choices");
  for (const emoji of emojis) {
    const button = element("button", "", emoji);
    button.type = "button";
    button.addEventListener("click", () => {
      box.open = false;
      react(emoji);
    });
    choices.append(button);
  }
  box.append(opener, choices);
  return box;
}
