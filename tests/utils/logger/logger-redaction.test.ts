import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { inspect } from "node:util";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { ConfigurationError, RateLimitedError } from "../../../bot/core/errors.ts";
import { Secret } from "../../../bot/core/secret.ts";
import { BotLogger, withCorrelation } from "../../../bot/utils/logger.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function setup() {
  const directory = mkdtempSync(join(tmpdir(), "redaction-"));
  const written: string[] = [];
  const stdout = new Writable({
    write: (chunk, _encoding, done) => {
      written.push(String(chunk));
      done();
    },
  });
  const clock = new ManualClock();
  const log = new BotLogger({
    directory,
    level: "debug",
    keepDays: 1,
    profile: "production",
    clock,
    stdout,
    stderr: stdout,
  });
  onTestFinished(async () => {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const factsOf = (facts: Record<string, unknown>) => {
    log.info("happened", facts);
    return JSON.parse(written.at(-1) ?? "").facts;
  };
  return { log, written, factsOf };
}

const token = `123456789:${"AbC-_9".repeat(6)}`;

test.each<[string, unknown, unknown]>([
  ["token", token, "[secret]"],
  ["address", `https://api.telegram.org/bot${token}/getMe`, /\/bot\[secret\]\/getMe$/],
  ["encodedAddress", `/bot${token.replace(":", "%3A")}/getMe`, "/bot[secret]/getMe"],
  ["proxy", "http://user:hunter2@proxy:8080", "http://[secret]@proxy:8080"],
  ["header", "Bearer abc.def-ghi", "Bearer [secret]"],
  ["RESTART_TOKEN", "short", "[secret]"],
  ["apiToken", { nested: "short" }, "[secret]"],
  ["Set-Cookie", ["a=b"], "[secret]"],
  ["dbPassword", 12345, "[secret]"],
  ["authorization", "Basic x", "[secret]"],
  ["text", "hello, this is private", "[personal]"],
  ["first_name", "Alice", "[personal]"],
  ["username", "alice", "[personal]"],
  ["userId", 42, 42],
  ["secretObject", new Secret("hidden"), "[secret]"],
  ["kept", new Secret("hidden"), "[secret]"],
])("%s is written redacted", (name, value, expected) => {
  const { factsOf } = setup();
  const written = factsOf({ [name]: value })[name];

  if (expected instanceof RegExp) expect(written).toMatch(expected);
  else expect(written).toEqual(expected);
});

test("errors are written with name, code, fields, stack and all causes, without secrets", () => {
  const { factsOf } = setup();
  const inner = Object.assign(new Error(`connect to ${token} failed`), { code: "ECONNRESET" });
  const middle = new AggregateError([inner, "plain"], "all failed", { cause: inner });
  const outer = new RateLimitedError("sendMessage", 5_000, { cause: middle });

  const { error } = factsOf({ error: outer });

  expect(error).toMatchObject({
    name: "RateLimitedError",
    code: "TELEGRAM_RATE_LIMITED",
    retryAfterMs: 5_000,
    stack: expect.stringContaining("logger-redaction.test.ts"),
    cause: {
      message: "all failed",
      errors: [{ code: "ECONNRESET" }, "plain"],
      cause: { code: "ECONNRESET", message: "connect to [secret] failed" },
    },
  });
  expect(JSON.stringify(error)).not.toContain("AbC-_9");
});

test("values that cannot be read, are circular or are too large are replaced by a short note", () => {
  const { factsOf, written } = setup();
  const circle: Record<string, unknown> = { a: 1 };
  circle["self"] = circle;
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const thrower = {
    get bad() {
      throw new Error("no");
    },
  };
  const own = {
    toJSON: () => {
      throw new Error("no");
    },
  };
  let deep: unknown = "bottom";
  for (let level = 0; level < 10_000; level += 1) deep = { deep };

  const facts = factsOf({
    circle,
    revoked: revoked.proxy,
    thrower,
    own,
    deep,
    wide: Array.from({ length: 100_000 }, (_, index) => index),
    long: "x".repeat(5_000_000),
    buffer: Buffer.alloc(1_000_000),
    map: new Map<unknown, unknown>([["password", "x"]]),
    set: new Set([1]),
    big: 10n,
    nan: Number.NaN,
    symbol: Symbol(token),
    run: () => token,
    date: new Date(0),
    url: new URL(`https://example.org/${token}`),
    nothing: null,
    missing: undefined,
  });

  expect(facts).toMatchObject({
    circle: { a: 1, self: "[circular]" },
    revoked: "[unreadable]",
    thrower: "[unreadable]",
    own: "[unreadable]",
    buffer: "[1000000 bytes]",
    map: { password: "[secret]" },
    set: [1],
    big: "10",
    nan: "NaN",
    symbol: "Symbol([secret])",
    run: "[function]",
    date: "1970-01-01T00:00:00.000Z",
    url: "https://example.org/[secret]",
    nothing: null,
  });
  expect(facts.wide).toHaveLength(51);
  expect(facts).not.toHaveProperty("missing");
  expect(written.at(-1)?.length).toBeLessThan(40_000);
});

test("names with a meaning in JavaScript are treated as plain names", () => {
  const { factsOf } = setup();

  const facts = factsOf(JSON.parse('{"__proto__":{"polluted":1},"constructor":2}'));

  expect(Object.entries(facts)).toEqual([
    ["__proto__", { polluted: 1 }],
    ["constructor", 2],
  ]);
  expect({}).not.toHaveProperty("polluted");
});

test("a configuration error's problems are all in the log", () => {
  const { factsOf } = setup();
  const problem = { variable: "A", expected: "b", received: "c", hint: "d" };

  expect(factsOf({ error: new ConfigurationError([problem]) }).error.problems).toEqual([problem]);
});

// ---- property -----------------------------------------------------------------------------------

const digits = fc.stringMatching(/^\d{1,14}$/);
const tail = fc
  .uint8Array({ minLength: 18, maxLength: 45 })
  .map((bytes) => Buffer.from(bytes).toString("base64url"));
const surroundings = fc.constantFrom(
  (secret: string) => secret,
  (secret: string) => `https://api.telegram.org/bot${secret}/getUpdates?offset=1`,
  (secret: string) => `https://api.telegram.org/file/bot${secret.replace(":", "%3A")}/x.jpg`,
  (secret: string) => `FetchError: request to "${secret}" failed\n    at ${secret}`,
  (secret: string) => `${"filler ".repeat(565)}${secret}`,
  ...[3_945, 3_960, 3_975, 3_990].map(
    (length) => (secret: string) => `${"y".repeat(length)} ${secret} ${"z".repeat(500)}`,
  ),
  (secret: string) => JSON.stringify({ url: secret }),
);

/** Generates data of any shape that contains the same secret text, perhaps as a name. */
const leaky = fc.tuple(digits, tail, surroundings).chain(([id, secretTail, surround]) => {
  const text = surround(`${id}:${secretTail}`);
  const leaf = fc.oneof(fc.constant<unknown>(text), fc.jsonValue(), fc.anything());
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      leaf,
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constant(text)), tie("tree"), { maxKeys: 4 }),
      tie("tree").map((cause) => Object.assign(new Error(text, { cause }), { url: text })),
      tie("tree").map((inner) => new Map([[text, inner]])),
      tie("tree").map((inner) => ({ toJSON: () => inner })),
    ),
  }));
  return fc.record({ secretTail: fc.constant(secretTail), text: fc.constant(text), tree });
});

test("P11: no token of any shape survives anywhere in a line, and the data logged is not changed", {
  timeout: 120_000,
}, async () => {
  const { log, written } = setup();
  const shown = (value: unknown) => inspect(value, { depth: 20, getters: false });

  await fc.assert(
    fc.asyncProperty(leaky, async ({ secretTail, text, tree }) => {
      const before = shown(tree);
      written.length = 0;

      withCorrelation({ cid: text }, () => {
        log.info(text, { tree, [text]: 1 });
        log.error("failed", { error: tree });
        log.business(text, 1, { tree });
      });

      expect(written).toHaveLength(3);
      // Even the part left when a long text is cut must be useless.
      for (const line of written) expect(line).not.toContain(secretTail.slice(0, 10));
      for (const line of written) JSON.parse(line);
      expect(shown(tree)).toBe(before);
      // Thousands of lines within one turn of the event loop would exceed the log file's backlog.
      while (log.snapshot().behindBytes > 0) await new Promise((done) => setImmediate(done));
    }),
    { numRuns: 1_000 },
  );
});
