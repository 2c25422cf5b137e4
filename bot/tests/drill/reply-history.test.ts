import { expect, test } from "vitest";
import { checkReplies } from "../../drill/reply-history.ts";

const sure = (label: string) => ({ label, ambiguous: false });
const unsure = (label: string) => ({ label, ambiguous: true });
const expected = ["a", "b", "c"];

test("a complete history in order is accepted", () => {
  expect(checkReplies(expected, [sure("a"), sure("b"), sure("c")])).toEqual({
    missing: [],
    ambiguousDuplicates: 0,
    violations: [],
  });
});

test("a repetition after an ambiguous send is counted, not blamed", () => {
  const verdict = checkReplies(expected, [sure("a"), unsure("b"), sure("b"), sure("c")]);
  expect(verdict).toEqual({ missing: [], ambiguousDuplicates: 1, violations: [] });
});

test.each([
  ["a reply that never came", [sure("a"), sure("b")], ["c"], 0],
  ["a reply left out", [sure("a"), sure("c")], [], 1],
  ["a repetition without need", [sure("a"), sure("a"), sure("b"), sure("c")], [], 1],
  ["a late repetition", [unsure("a"), sure("b"), sure("a"), sure("c")], [], 1],
  ["a wrong order", [sure("b"), sure("a"), sure("c")], [], 2],
  ["a stranger", [sure("a"), sure("x"), sure("b"), sure("c")], [], 1],
  ["one too many at the end", [sure("a"), sure("b"), sure("c"), sure("c")], [], 1],
])("%s is noticed", (_, seen, missing, violations) => {
  const verdict = checkReplies(expected, seen);
  expect(verdict.missing).toEqual(missing);
  expect(verdict.violations).toHaveLength(violations);
});
