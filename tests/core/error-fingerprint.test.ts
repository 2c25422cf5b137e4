/** Error fingerprint: what counts as the same error. */
import { expect, test } from "vitest";
import { fingerprintOf, withoutParticulars } from "../../bot/core/error-fingerprint.ts";

test.for<[string, string]>([
  ["no answer within 1500 ms", "no answer within 20.5 ms"],
  ['field "name" is missing', 'field "age" is missing'],
  ["GET https://a.example/b?c=1 failed", "GET http://other:80/ failed"],
  ["cannot open /var/lib/x/y.db", "cannot open /tmp/z.db"],
  ["session 5f2a9c0b1d is over", "session 00ff00ff00 is over"],
])("%s is the same as %s", ([one, other]) => {
  const of = (message: string) => fingerprintOf({ code: "X", message });
  expect(of(one)).toBe(of(other));
  expect(of(one)).toMatch(/^[0-9a-f]{12}$/);
});

test("another code or other words are another error", () => {
  const first = fingerprintOf({ code: "X", message: "no answer" });
  expect(fingerprintOf({ code: "Y", message: "no answer" })).not.toBe(first);
  expect(fingerprintOf({ code: "X", message: "no reply" })).not.toBe(first);
  expect(withoutParticulars("no answer")).toBe("no answer");
});
