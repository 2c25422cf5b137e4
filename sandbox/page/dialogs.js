/** Dialogs: questions to the person in front of the page. */
import { element } from "./element.js";

/**
 * Asks a question, with fields if there are any.
 *
 * @param question `title`, `text`, `action` (the button's words), and `fields`: name to `label`, and either
 *   `options` or the attributes of an input.
 * @returns the fields' values by name; undefined when the person cancels.
 */
export function ask({ action, fields = {}, text = "", title }) {
  const dialog = element("dialog", "question");
  const form = element("form");
  form.method = "dialog";
  const words = text ? [element("p", "", text)] : [];
  const inputs = Object.entries(fields).map(([name, field]) => [name, inputFor(field)]);
  const lines = inputs.map(([name, input]) => {
    const line = element("label", "field", fields[name].label);
    line.append(input);
    return line;
  });
  const cancel = element("button", "quiet", "Cancel");
  cancel.type = "button";
  cancel.addEventListener("click", () => dialog.close());
  const confirm = element("button", "", action);
  confirm.value = "yes";
  const buttons = element("div", "buttons");
  buttons.append(cancel, confirm);
  form.append(element("h2", "", title), ...words, ...lines, buttons);
  dialog.append(form);
  dialog.setAttribute("aria-label", title);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      const values = Object.fromEntries(inputs.map(([name, input]) => [name, input.value]));
      resolve(dialog.returnValue === "yes" ? values : undefined);
    });
  });
}

function inputFor({ label: _, options, ...attributes }) {
  const input = element(options ? "select" : "input");
  if (options) input.append(...options.map(([value, name]) => new Option(name, value)));
  return Object.assign(input, attributes);
}
