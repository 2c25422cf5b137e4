/** Panels: what can be added, and that looking often costs no more than looking once a second. */
import { expect, test } from "vitest";
import { showPanels } from "../../bot/enhanced-launcher/panels.ts";
import { createPanels } from "../../bot/kit/panel.ts";
import { ManualClock } from "../support/manual-clock.ts";

const nothing = async () => ({});

test.each<[string, unknown, unknown, unknown, RegExp]>([
  ["a name that is no part of an address", "a/b", "Sales", nothing, /panel: name.*"a\/b"/],
  ["a name that is no text", 7, "Sales", nothing, /panel: name.*number/],
  ["no title", "sales", " ", nothing, /panel sales: title/],
  [
    "a title in one language",
    "sales",
    { en: "Sales" },
    nothing,
    /panel sales: title.*\{ en, zh \}/,
  ],
  ["no function", "sales", "Sales", {}, /panel sales: read: expected a function/],
  ["a name that is taken", "taken", "Sales", nothing, /panel taken: name/],
])("%s is refused, and the error names the field", (_what, name, title, read, says) => {
  const { add, panels } = createPanels();
  add("taken", "Taken", nothing);
  expect(() => add(name as string, title as string, read as typeof nothing)).toThrow(says);
  expect([...panels.keys()]).toEqual(["taken"]);
});

test("an eleventh panel is refused", () => {
  const { add } = createPanels();
  for (let number = 1; number <= 10; number++) add(`p${number}`, { en: "P", zh: "面" }, nothing);
  expect(() => add("p11", "P", nothing)).toThrow(/at most 10 panels/);
});

test("a panel is read once a second however many look, and one that hangs is read again", async () => {
  const clock = new ManualClock();
  let reads = 0;
  let hangs = false;
  const read = () => {
    reads++;
    return hangs ? new Promise<never>(() => {}) : Promise.resolve({ figures: [] });
  };
  const [panel] = showPanels([{ name: "sales", title: "Sales", read }], clock);
  const look = async () => panel?.read();

  await Promise.all([look(), look(), look()]);
  await clock.advance(999);
  await look();
  expect(reads).toBe(1);
  await clock.advance(1);
  hangs = true;
  const late = expect(look()).rejects.toThrow("the panel sales gave nothing within 4000 ms");
  await clock.advance(4_000);
  await late;
  hangs = false;
  await expect(look()).resolves.toEqual({ figures: [] });
  expect(reads).toBe(3);
});
