/** Init data: only what Telegram has signed, for this bot and not long ago, proves who asks. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InitDataRefusedError } from "../../../bot/core/errors.ts";
import { Secret } from "../../../bot/core/secret.ts";
import { InitDataCheck } from "../../../bot/telegram/mini-app/init-data.ts";
import { fieldsOf, publicKey, signed, tokenText } from "./signed-init-data.ts";

const nowS = 1_800_000_000;
const ageMaxMs = 3_600_000;
const ada = { id: 7, first_name: "Ada & Co=", language_code: "en", is_premium: true };
const other = "40055058a4ee38156a06562e52eece92a771bcd8346a8c4615cb7376eddf72ec";

function checkWith(publicKeys: readonly string[] = [other, publicKey], token = tokenText) {
  return new InitDataCheck({ token: new Secret(token), publicKeys, ageMaxMs });
}

/** The person, or why not. */
function verdictOn(initData: string, check = checkWith()): unknown {
  try {
    return check.personOf(initData, nowS * 1_000).id;
  } catch (error) {
    if (error instanceof InitDataRefusedError) return error.fault;
    throw error;
  }
}

const fresh = fieldsOf(ada, nowS);

test("the person is read from what is signed, and nothing else of them", () => {
  expect(checkWith().personOf(signed(fresh), nowS * 1_000)).toEqual({
    id: 7,
    is_bot: false,
    first_name: "Ada & Co=",
    language_code: "en",
  });
});

test.each<[string, string, unknown]>([
  ["both signatures", signed(fresh), 7],
  ["the hash alone", signed(fresh, ["hash"]), 7],
  ["the signature alone", signed(fresh, ["signature"]), 7],
  ["no signature", signed(fresh, []), "forged"],
  [
    "a wrong hash beside a right signature",
    `${signed(fresh, ["signature"])}&hash=${"0".repeat(64)}`,
    "forged",
  ],
  ["an empty hash beside a right signature", `${signed(fresh, ["signature"])}&hash=`, "forged"],
  [
    "a hash in capital letters",
    signed(fresh).replace(/hash=.*/, (text) => text.toUpperCase().replace("HASH", "hash")),
    "forged",
  ],
  ["a field too many", `${signed(fresh)}&start_param=x`, "forged"],
  ["a field that stands there twice", `${signed(fresh)}&auth_date=${nowS}`, "malformed"],
  ["a line break in a value", signed({ ...fresh, query_id: "a\nb=c" }), "malformed"],
  ["a name that is none", signed({ ...fresh, "a=b": "c" }), "malformed"],
  ["nothing", "", "malformed"],
  ["more than any client sends", signed({ ...fresh, start_param: "x".repeat(5_000) }), "malformed"],
  [
    "very many fields",
    signed(Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, "1"]))),
    "malformed",
  ],
  ["no user", signed({ auth_date: String(nowS) }), "malformed"],
  ["a user that is no JSON", signed({ ...fresh, user: "{" }), "malformed"],
  ["a user without an id", signed(fieldsOf({ first_name: "Ada" }, nowS)), "malformed"],
  ["a user that is a bot", signed(fieldsOf({ ...ada, is_bot: true }, nowS)), "malformed"],
  ["an id beyond all numbers", signed(fieldsOf({ id: 2 ** 60 }, nowS)), "malformed"],
  ["no date", signed({ user: JSON.stringify(ada) }), "malformed"],
  ["a date that is none", signed({ ...fresh, auth_date: "soon" }), "malformed"],
  ["the last second of its life", signed(fieldsOf(ada, nowS - 3_600)), 7],
  ["the second after it", signed(fieldsOf(ada, nowS - 3_601)), "expired"],
  ["a clock that is a minute ahead", signed(fieldsOf(ada, nowS + 60)), 7],
  ["a clock that is further ahead", signed(fieldsOf(ada, nowS + 61)), "from-the-future"],
])("%s", (_, initData, verdict) => {
  expect(verdictOn(initData)).toBe(verdict);
});

test("what was signed for another bot proves nothing here", () => {
  const check = checkWith([publicKey], `43:${tokenText.slice(3)}`);
  expect(verdictOn(signed(fresh), check)).toBe("forged");
  expect(verdictOn(signed(fresh, ["signature"]), check)).toBe("forged");
});

test("a signature with a key that is not Telegram's proves nothing", () => {
  expect(verdictOn(signed(fresh, ["signature"]), checkWith([other]))).toBe("forged");
});

describe("with any byte changed", () => {
  const people = fc.record({
    id: fc.integer({ min: 1, max: 2 ** 40 }),
    first_name: fc.string({ unit: "grapheme" }),
    username: fc.stringMatching(/^\w{0,20}$/),
  });
  const kinds = fc.constantFrom<readonly ("hash" | "signature")[]>(
    ["hash", "signature"],
    ["hash"],
    ["signature"],
  );
  const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 32, max: 126 }) });
  /** What it says, whatever the encoding: %7b and %7B are the same byte. */
  const meaning = (text: string) => JSON.stringify([...new URLSearchParams(text)]);

  test("it is refused", () => {
    fc.assert(
      fc.property(people, kinds, change, (person, by, { at, to }) => {
        const text = signed(fieldsOf(person, nowS), by);
        expect(verdictOn(text)).toBe(person.id);
        const index = at % text.length;
        const changed = text.slice(0, index) + String.fromCharCode(to) + text.slice(index + 1);
        if (meaning(changed) === meaning(text)) return;
        // Base64 may end in "=" signs that say nothing.
        expect(["forged", "malformed"]).toContain(verdictOn(changed));
      }),
      { numRuns: 200 },
    );
  });

  test("it is refused without a byte and with one more", () => {
    fc.assert(
      fc.property(people, kinds, change, (person, by, { at, to }) => {
        const text = signed(fieldsOf(person, nowS), by);
        const index = at % text.length;
        const shorter = text.slice(0, index) + text.slice(index + 1);
        const longer = text.slice(0, index) + String.fromCharCode(to) + text.slice(index);
        for (const changed of [shorter, longer]) {
          const same = [text, `${text}&`, `&${text}`].some(
            (one) => meaning(changed) === meaning(one),
          );
          if (!same) expect(["forged", "malformed"]).toContain(verdictOn(changed));
        }
      }),
      { numRuns: 100 },
    );
  });
});
