/** Notices: short texts that come and go by themselves, and alerts that wait for the person. */
import { pick } from "./state.js";

const toastMs = 4_000;
const actionMs = 5_000;

let toastTimer;
export function showToast(text) {
  pick("toast").textContent = text;
  pick("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    pick("toast").hidden = true;
  }, toastMs);
}

let actionTimer;
/** What the bot does just now; an empty text ends it. */
export function showAction(text) {
  pick("action").textContent = text === "typing" ? "typing…" : text.replaceAll("_", " ");
  clearTimeout(actionTimer);
  actionTimer = setTimeout(() => {
    pick("action").textContent = "";
  }, actionMs);
}

export function showAlert(text) {
  pick("alert-text").textContent = text;
  pick("alert").showModal();
}

/** Runs a person's action, and shows its error. */
export function attempt(work) {
  work().catch((error) => showToast(error.message));
}
