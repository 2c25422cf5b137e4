/** Holds: what holds work back at present, and the button that releases it. */
import { button, drawList, element, setText } from "./elements.js";
import { ago, span, wholeSpan } from "./formats.js";
import { nameOf, t } from "./texts.js";

/** @param onRelease Called with a hold. */
export function drawHolds(body, { holds } = {}, onRelease) {
  drawList(
    body,
    holds ?? [],
    ({ id }) => id,
    () => holdRow(onRelease),
  );
}

function holdRow(onRelease) {
  const cells = Array.from({ length: 6 }, () => element("td"));
  const release = button("", () => onRelease(shown), { class: "small" });
  let shown;
  const row = element("tr", {}, ...cells, element("td", {}, release));
  row.show = (hold) => {
    shown = hold;
    const { kind, lane, reason, releasable, sinceEpochMs, target, untilEpochMs, waitedMs } = hold;
    setText(cells[0], nameOf("holdName", kind));
    setText(cells[1], lane ?? nameOf("poolName", target));
    setText(cells[2], reason);
    setText(cells[3], ago(sinceEpochMs));
    setText(cells[4], untilEpochMs ? wholeSpan(Math.max(0, untilEpochMs - Date.now())) : "–");
    setText(cells[5], span(waitedMs));
    setText(release, t("release"));
    release.setAttribute("aria-label", t("releaseOf", nameOf("holdName", kind)));
    release.hidden = releasable !== true;
  };
  return row;
}
