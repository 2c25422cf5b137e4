/** Elements: makes them, and keeps lists of them up to date. Text is only written to textContent. */

export const pick = (id) => document.getElementById(id);

/** An element with attributes and children; undefined and null are left out. */
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

/** Changes only a text that differs, so that screen readers do not repeat it and selections stay. */
export function setText(target, text) {
  const wanted = String(text ?? "");
  if (target.textContent !== wanted) target.textContent = wanted;
}

/**
 * Gives `parent` one child for each of `items`, in their order. An item that stays keeps its element,
 * focus and selection.
 *
 * @param make Makes an item's element once; its `show(item)` is called at every change.
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

/** Replaces children that have no keys; one that is equal stays, so that a selection in it stays. */
export function drawChildren(parent, children) {
  for (const [index, child] of children.entries()) {
    const present = parent.children[index];
    if (!present) parent.append(child);
    else if (!present.isEqualNode(child)) present.replaceWith(child);
  }
  while (parent.children.length > children.length) parent.lastElementChild.remove();
}

/** A table row with these cells. */
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

/** An SVG element; its geometry is in attributes, because inline styles are forbidden. */
export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}
