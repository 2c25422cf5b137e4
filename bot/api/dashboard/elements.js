/** Elements: making them, and keeping lists of them in step. Text only ever goes through textContent. */

export const pick = (id) => document.getElementById(id);

/** What is undefined or null is left out. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (name === "on") {
      for (const [type, listener] of Object.entries(value)) made.addEventListener(type, listener);
    } else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

export function button(text, onClick, attributes = {}) {
  return element("button", { type: "button", ...attributes, on: { click: onClick } }, text);
}

/** Untouched while it says so already: screen readers would say it again, and selections would go. */
export function setText(target, text) {
  const wanted = String(text ?? "");
  if (target.textContent !== wanted) target.textContent = wanted;
}

/**
 * Makes the children of `parent` those of `items`, in their order. What stays keeps its element, and
 * with it focus and selection.
 *
 * @param make Makes an item's element, once; it has a `show(item)` that is called whenever it changes.
 */
export function drawList(parent, items, keyOf, make) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = known.get(key);
    known.delete(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    child.show?.(item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const gone of known.values()) gone.remove();
}

/** The same for what has no keys and no state: what is equal stays, and with it a selection in it. */
export function drawChildren(parent, children) {
  for (const [index, child] of children.entries()) {
    const present = parent.children[index];
    if (!present) parent.append(child);
    else if (!present.isEqualNode(child)) present.replaceWith(child);
  }
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}

/** Cells of a row that is drawn anew each time. */
export function rowOf(cells) {
  return element(
    "tr",
    {},
    ...cells.map((cell) => {
      const { text, ...attributes } = cell instanceof Node || typeof cell !== "object" ? {} : cell;
      const content = text === undefined ? cell : text;
      return element("td", attributes, content instanceof Node ? content : String(content ?? "–"));
    }),
  );
}

/** An SVG element; geometry goes into attributes, because styles in line are forbidden. */
export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}
