/** Poll view: a poll with its answers to choose, and the votes of all. */
import { element } from "./element.js";

/**
 * @param poll Telegram's poll object.
 * @param chosen Indices that the person has voted for.
 * @param vote Called with the indices that the person votes for now; none take the vote back.
 */
export function pollView(poll, chosen, vote) {
  const view = element("div", "poll");
  const kind = poll.type === "quiz" ? "Quiz" : "Poll";
  const who = poll.is_anonymous ? "anonymous" : "public";
  view.append(
    element("strong", "", poll.question),
    element("span", "faint", poll.is_closed ? "Final results" : `${kind}, ${who}`),
  );
  poll.options.forEach((option, index) => {
    view.append(optionButton(poll, option, index, chosen, vote));
  });
  const votes = poll.total_voter_count;
  view.append(element("span", "faint", votes === 1 ? "1 vote" : `${votes} votes`));
  if (poll.explanation && chosen.length > 0) view.append(element("em", "", poll.explanation));
  return view;
}

function optionButton(poll, option, index, chosen, vote) {
  const button = element("button", "option");
  button.type = "button";
  const voted = chosen.includes(index);
  const shown = chosen.length > 0 || poll.is_closed;
  const share = poll.total_voter_count === 0 ? 0 : option.voter_count / poll.total_voter_count;
  const right = shown && poll.correct_option_ids?.includes(index) ? " ✓" : "";
  button.setAttribute("aria-pressed", String(voted));
  button.disabled = poll.is_closed || (chosen.length > 0 && !poll.allows_revoting);
  button.append(element("span", "", option.text + right));
  if (shown) {
    button.append(element("span", "faint", `${Math.round(share * 100)}%`));
    const bar = element("progress");
    bar.max = 1;
    bar.value = share;
    bar.setAttribute("aria-hidden", "true");
    button.append(bar);
  }
  button.addEventListener("click", () => vote(nextVote(poll, chosen, index)));
  return button;
}

/** A second press takes the answer back; a poll of several answers keeps the others. */
function nextVote(poll, chosen, index) {
  if (chosen.includes(index)) return chosen.filter((other) => other !== index);
  return poll.allows_multiple_answers ? [...chosen, index] : [index];
}
