/** Membership rules: what an update about the bot's membership says about writing to its chat. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { judgeMembership } from "../../../bot/telegram/context/membership-rules.ts";

const change = (type: string, member: object) => ({
  update_id: 1,
  my_chat_member: { chat: { id: -7, type }, new_chat_member: member as never },
});
const reached = { reachedChat: "-7" };
const kicked = { unreachableChat: { chat: "-7", reason: "kicked" } };

test.each([
  ["group", { status: "member" }, reached],
  ["supergroup", { status: "administrator" }, reached],
  ["supergroup", { status: "restricted", is_member: true }, reached],
  ["supergroup", { status: "restricted", is_member: false }, kicked],
  ["supergroup", { status: "left" }, kicked],
  ["channel", { status: "kicked" }, kicked],
  ["private", { status: "kicked" }, { unreachableChat: { chat: "-7", reason: "blocked" } }],
  ["private", { status: "member" }, reached],
  ["group", { status: "a new one" }, {}],
])("in a %s, %j", (type, member, reach) => {
  expect(judgeMembership(change(type, member))).toEqual(reach);
});

test("other updates say nothing, whatever they hold", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const found = judgeMembership({ update_id: 1, my_chat_member: value as never });
      expect(Object.keys(found).length).toBeLessThanOrEqual(1);
      expect(judgeMembership({ update_id: 1, message: value as never })).toEqual({});
    }),
  );
});
