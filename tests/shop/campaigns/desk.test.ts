/** The broadcast desk: what an administrator reads and presses, and what is written down. */
import { expect, test } from "vitest";
import { ada, dataOf, pressed, said, setup } from "../commands/bot-under-test.ts";

const boss = { id: 1, first_name: "Boss", language_code: "en" };
const chef = { id: 2, first_name: "Chef", language_code: "zh" };
const options = { adminIds: [boss.id, chef.id] };

test("a draft shows what people will read, and asks who shall get it", async () => {
  const { handle } = setup(options);
  const [preview, question] = await handle(said(boss, "/broadcast Coffee is back"));
  expect(preview?.payload).toEqual({ chat_id: boss.id, text: "Coffee is back" });
  expect(dataOf(question, "read Chinese")).toBe("adm-cast-to:1:zh");
  const [count] = await handle(pressed(boss, "adm-cast-to:1:zh"));
  expect(count?.payload.text).toBe("There is nobody to write to.");
  const [usage] = await handle(said(boss, "/broadcast"));
  expect(usage?.payload.text).toContain("as a reply");
  expect(dataOf(usage, "#1 draft")).toBe("adm-cast:1");
});

test("a reply with /broadcast copies the message that it replies to", async () => {
  const { handle } = setup(options);
  const update = said(boss, "/broadcast");
  const message = { ...update.message, reply_to_message: { message_id: 55 } };
  const [preview] = await handle({ ...update, message });
  expect(preview).toEqual({
    method: "copyMessage",
    payload: { chat_id: boss.id, from_chat_id: boss.id, message_id: 55 },
  });
});

test("acts change the card, begin a new chain of turns, and are written down", async () => {
  const { events, handle, laters } = setup(options);
  await handle(said(boss, "/broadcast Coffee is back"));
  const says = async (from: typeof boss, what: string) =>
    (await handle(pressed(from, `adm-cast-${what}:1`))).map(({ payload }) => payload.text ?? "");
  expect((await says(boss, "go"))[0]).toContain("Broadcast #1: under way");
  expect((await says(chef, "pause"))[0]).toContain("群发 #1：已暂停");
  expect(await says(boss, "pause")).toEqual(["That is not possible any more."]);
  expect((await says(boss, "resume"))[0]).toContain("under way");
  expect((await says(boss, "cancel"))[0]).toContain("cancelled");
  expect(await says(boss, "resume")).toEqual(["That is not possible any more."]);
  const chains = [1, 2, 3, 4].map((chain) => ({ name: "campaign", data: { id: 1, chain } }));
  expect(laters).toEqual(chains);
  const acts = events.flatMap((event) =>
    event.type === "security.recorded" && event.name === "admin_act" ? [event.facts?.["act"]] : [],
  );
  const kinds = ["", "-pause", "-resume", "-cancel"].map((end) => `broadcast${end}`);
  expect(acts).toEqual(kinds);
});

test("what nobody but an administrator may press does nothing for others", async () => {
  const { handle, laters } = setup(options);
  await handle(said(boss, "/broadcast Coffee is back"));
  await handle(pressed(ada, "adm-cast-go:1"));
  expect(laters).toEqual([]);
});
