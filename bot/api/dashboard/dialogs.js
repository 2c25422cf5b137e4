/** Dialogs: they ask before something is changed, and show the result. */
import { element, pick, setText } from "./elements.js";
import { t } from "./texts.js";

const toastMs = 8_000;
const toastsMax = 4;

/** Makes buttons close their dialog; Enter does not press them. */
export function listenToDialogs() {
  document.addEventListener("click", ({ target }) => {
    const closing = target.closest("dialog [data-close]");
    closing?.closest("dialog").close(closing.dataset.close);
  });
}

/** Opens a dialog. @returns the value of the button that closed it; "" for Escape. */
export function openDialog(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

/**
 * Asks before something is done.
 *
 * @param question `title`, `text`, `yes` (the button), and `wantsReason`.
 * @returns `undefined` for no, otherwise the reason; "" without one.
 */
export async function confirmed({ text, title, wantsReason = false, yes }) {
  setText(pick("confirm-title"), title);
  setText(pick("confirm-text"), text);
  setText(pick("confirm-yes"), yes);
  pick("confirm-reason-label").hidden = !wantsReason;
  pick("confirm-reason").value = "";
  const answer = await openDialog(pick("confirm"));
  return answer === "yes" ? pick("confirm-reason").value.trim() : undefined;
}

/** The question for the token that is open, if any. */
let asking;

/** Asks for the token; who asks while the question is open gets the same answer. @returns whether there is one now. */
export function askForToken(api, why, problem = "") {
  setText(pick("token-why"), why);
  setText(pick("token-problem"), problem);
  asking ??= ask(api).finally(() => {
    asking = undefined;
  });
  return asking;
}

async function ask(api) {
  const input = pick("token-input");
  pick("token-forget").hidden = !api.token;
  input.value = "";
  const answer = await openDialog(pick("ask-token"));
  const typed = input.value.trim();
  input.value = "";
  if (answer === "yes" && typed !== "") api.setToken(typed);
  else if (answer === "forget") api.setToken(undefined);
  else return false;
  return answer === "yes";
}

/** Shows a message. @param before The message that it replaces, if any. @returns the new message. */
export function toast(text, status = "healthy", before = undefined) {
  const shown = element("p", { class: "toast", "data-status": status }, text);
  const place = pick("toasts");
  before?.remove();
  place.append(shown);
  while (place.childElementCount > toastsMax) place.firstElementChild.remove();
  setTimeout(() => shown.remove(), toastMs);
  return shown;
}

/**
 * Runs an action of the operator and shows the result. If the bot needs a token or another one, the
 * operator is asked for it and the action is repeated.
 */
export async function operate(api, work) {
  try {
    if (!api.token && !(await askForToken(api, t("token.change")))) return;
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (!error.needsToken) throw error;
        // The old token is kept until there is another, because it may allow reading.
        if (!(await askForToken(api, t("token.change"), error.message))) return;
      }
    }
  } catch (error) {
    const hint = error.hint ? ` ${error.hint}` : "";
    toast(`✖ ${t("failed", `${error.message}${hint}`)}`, "unhealthy");
  }
}
