/** Reactions view: what stands under a message. The message's menu has the emoji to choose from. */
import { element } from "./element.js";

export const reactionEmojis = ["👍", "❤", "🔥", "🎉", "😁", "🤔", "👎"];

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
  return view;
}
