/** Conformance: what must hold for every method of the Bot API, whatever it does. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type MethodRow,
  readMethodTable,
  requiredParameters,
} from "../../../sandbox/bot-api-table/method-table.ts";
import { sandboxToken } from "../../../sandbox/sandbox.ts";
import type { Loose } from "../bot-client.ts";
import { preparedWorld } from "./prepared-world.ts";

const { methods } = readMethodTable();
/** They end the session; other tests call them. */
const enders: ReadonlySet<string> = new Set(["close", "logOut"]);
const names = Object.keys(methods).filter((name) => !enders.has(name));

/** These do nothing wrong when it is missing: Telegram's own code reads them as zero or empty. */
const mayBeMissing: Readonly<Record<string, readonly string[]>> = {
  setWebhook: ["url"],
  answerPreCheckoutQuery: ["ok"],
  answerShippingQuery: ["ok"],
  editUserStarSubscription: ["is_canceled"],
  setManagedBotAccessSettings: ["is_access_restricted"],
  setBusinessAccountGiftSettings: ["show_gift_button"],
  transferGift: ["star_count"],
  getUserPersonalChatMessages: ["limit"],
  setGameScore: ["score"],
  setChatAdministratorCustomTitle: ["custom_title"],
  setStickerSetThumbnail: ["format"],
};

/** Values that fit the prepared world, where the kind alone says too little. */
function valueFor(name: string, kind: string, world: { forum: number; textId: number }): unknown {
  const known: Readonly<Record<string, unknown>> = {
    chat_id: world.forum,
    from_chat_id: world.forum,
    message_id: world.textId,
    message_ids: [world.textId],
    user_id: 42,
    sender_chat_id: -1001,
    new_owner_chat_id: 43,
    receiver_user_id: 42,
    business_connection_id: "b",
    message_thread_id: 1,
    currency: "XTR",
    prices: [{ label: "a", amount: 1 }],
    options: ["a", "b"],
    media: { type: "photo", media: "https://example.com/a.png" },
    url: "http://127.0.0.1:9/",
    latitude: 1,
    longitude: 2,
    rich_message: { html: "<b>x</b>" },
    subscription_period: 2_592_000,
    active_period: 86_400,
    content: { type: "photo", photo: "attach://file" },
    checklist: { title: "t", tasks: [{ id: 1, text: "x" }] },
    permissions: { can_send_messages: true },
    reaction: [{ type: "emoji", emoji: "👍" }],
    custom_emoji_ids: ["1"],
    web_app_url: "https://example.com/",
    ok: true,
  };
  if (name in known) return known[name];
  if (kind.startsWith("one of ")) return kind.split(" ")[2];
  if (kind.startsWith("number")) return 1;
  if (kind.startsWith("boolean")) return true;
  if (kind.startsWith("json")) return [];
  if (kind === "file|string") return "https://example.com/a.png";
  return "x";
}

function minimal(row: MethodRow, world: { forum: number; textId: number }) {
  const entries = requiredParameters(row).map((name) => [
    name,
    valueFor(name, row.parameters[name] ?? "", world),
  ]);
  return Object.fromEntries(entries) as Readonly<Record<string, unknown>>;
}

/** Whether a result can be of the type that the table tells. */
function fits(result: unknown, returns: string): boolean {
  return returns.split("|").some((type) => {
    if (type === "true") return result === true;
    if (type === "string") return typeof result === "string";
    if (type === "number") return typeof result === "number";
    if (returns.endsWith("[]")) return Array.isArray(result);
    return typeof result === "object" && result !== null && !Array.isArray(result);
  });
}

/** Telegram's texts: a sentence in lower case, a name in capitals, or a message of TDLib. */
const description =
  /^(Bad Request: (?:[a-z_]|[A-Z][A-Z0-9_]+$|[A-Z])|Forbidden: [a-z]|Unauthorized|Conflict: [a-z])/;

test("every method with what it needs gives a result of its type, or an error of Telegram's", async () => {
  const world = await preparedWorld();
  const wrong: Loose[] = [];
  let succeeded = 0;
  for (const name of names) {
    const row = methods[name] as MethodRow;
    const { body, status } = await world.call(name, minimal(row, world));
    if (status === 200) succeeded += 1;
    const fine =
      status === 200
        ? fits(body.result, row.returns)
        : [400, 403].includes(status) && description.test(body.description);
    if (!fine) wrong.push([name, status, body.description ?? body.result]);
    if (name === "setWebhook") await world.call("deleteWebhook");
    if (name === "leaveChat") world.control.setAccess({ chatId: world.forum, access: "open" });
  }
  expect(wrong).toEqual([]);
  expect(succeeded).toBeGreaterThan(90);
}, 30_000);

test("every method without one of the parameters it needs is refused with 400", async () => {
  const world = await preparedWorld();
  const wrong: Loose[] = [];
  for (const name of names) {
    const row = methods[name] as MethodRow;
    for (const missing of requiredParameters(row)) {
      if (mayBeMissing[name]?.includes(missing)) continue;
      const { [missing]: _, ...rest } = minimal(row, world);
      const { body, status } = await world.call(name, rest);
      const refused = status === 400 && description.test(body.description);
      if (!refused) wrong.push([name, missing, status, body.description ?? body.result]);
    }
  }
  expect(wrong).toEqual([]);
}, 30_000);

const values = fc.oneof(
  fc.constantFrom<unknown>(
    42,
    "42",
    -1,
    0,
    "",
    null,
    [],
    {},
    [{}],
    "@x",
    1e21,
    "\uD800",
    "b",
    "<b>",
  ),
  fc.string({ unit: "binary" }),
  fc.jsonValue({ maxDepth: 4 }),
);

test("no parameter of any method makes the sandbox fail, and no method is missing", async () => {
  const world = await preparedWorld();
  const { call, control } = world;
  const calls = fc.constantFrom(...names).chain((name) => {
    const row = methods[name] as MethodRow;
    const fields = Object.keys(row.parameters).map((field) => field.replace("?", ""));
    const given = minimal(row, world);
    const kept = fc.subarray(Object.keys(given));
    const odd =
      fields.length === 0
        ? fc.constant({})
        : fc.dictionary(fc.constantFrom(...fields), values, { maxKeys: 3 });
    return fc.record({ name: fc.constant(name), kept, odd, given: fc.constant(given) });
  });
  await fc.assert(
    fc.asyncProperty(calls, async ({ given, kept, name, odd }) => {
      const base = Object.fromEntries(kept.map((field) => [field, given[field]]));
      const { body, status } = await call(name, { ...base, ...odd, timeout: 0 });
      expect([200, 400, 403, 409, 429]).toContain(status);
      expect(body.description ?? "").not.toContain("defect");
      control.setAccess({ chatId: world.forum, access: "open", silent: true });
      if (name === "setWebhook") await call("deleteWebhook");
    }),
    { numRuns: 2_500 },
  );
  expect((await call("getMe", {}, sandboxToken)).status).toBe(200);
}, 90_000);
