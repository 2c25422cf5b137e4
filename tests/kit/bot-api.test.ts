/** Bot API types: how new they are, and what documents say of it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { botApiVersion, updateKinds, updateOf } from "../../bot/kit/bot-api.ts";

const read = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
const packageOf = (name: string) =>
  JSON.parse(read(`node_modules/${name}/package.json`)) as {
    readonly version: string;
    readonly dependencies?: Readonly<Record<string, string>>;
  };

test("the version of the Bot API is that of the types which are installed", () => {
  // The types do not name it; grammY does, and depends on exactly the types that it means.
  const types = packageOf("@grammyjs/types").version;
  expect(packageOf("grammy").dependencies?.["@grammyjs/types"]).toBe(types);
  const [, version] =
    /badge\/Bot%20API-([\d.]+)-/.exec(read("node_modules/grammy/README.md")) ?? [];
  expect(botApiVersion).toBe(version);
});

test.each(["README.md", "README.zh-CN.md"])("%s names that version", (path) => {
  expect(read(path)).toContain(`Bot API ${botApiVersion}`);
});

test("updates are read by their kind, also where Telegraf does not know it", () => {
  expect(updateKinds).toContain("managed_bot");
  const ctx = { update: { update_id: 1, chat_boost: { chat: { id: 5 } } } };
  expect(updateOf(ctx, "chat_boost")?.chat.id).toBe(5);
  expect(updateOf(ctx, "poll")).toBeUndefined();
});
