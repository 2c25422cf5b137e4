/** Message menu: reactions, and what a person does with a message. It closes by itself. */
import { element } from "./element.js";
import { reactionEmojis } from "./reactions-view.js";

const marginPx = 8;
/** The pointer is inside of the menu's round corner: if it were outside, its release would close the menu. */
const insidePx = 6;

/**
 * @param menu The element, a popover.
 * @param at `x` and `y` in the window.
 * @param items Words, icon and what they do. @param react Called with an emoji.
 */
export function openMenu(menu, at, items, react) {
  const choices = element("div", "choices");
  choices.setAttribute("role", "group");
  choices.setAttribute("aria-label", "React");
  const act = (work) => () => {
    menu.hidePopover();
    work();
  };
  for (const emoji of reactionEmojis)
    choices.append(
      itemFor(
        emoji,
        act(() => react(emoji)),
      ),
    );
  const lines = items.map(([words, icon, work]) => itemFor(words, act(work), icon));
  menu.replaceChildren(choices, ...lines);
  menu.showPopover();
  const { height, width } = menu.getBoundingClientRect();
  const within = (value, size, most) => Math.max(marginPx, Math.min(value, most - size - marginPx));
  menu.style.left = `${within(at.x - insidePx, width, innerWidth)}px`;
  menu.style.top = `${within(at.y - insidePx, height, innerHeight)}px`;
  menu.querySelector("button")?.focus();
}

/** Arrow keys go from one item to the next. */
export function listenToMenu(menu) {
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll("button")];
    const at = items.indexOf(document.activeElement) + step;
    items[(at + items.length) % items.length]?.focus();
  });
}

function itemFor(words, work, icon) {
  const item = element("button", icon ? `icon icon-${icon}` : "", words);
  item.type = "button";
  item.setAttribute("role", "menuitem");
  item.addEventListener("click", work);
  return item;
}
