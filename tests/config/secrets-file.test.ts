import { expect, test } from "vitest";
import { parseConfig } from "../../bot/config/fault-tolerance-config.ts";
import { readSecretsFile } from "../../bot/config/secrets-file.ts";
import { ConfigurationError } from "../../bot/core/errors.ts";

const token = `123456789:${"A".repeat(35)}`;

const file = (contents: string, mode: number | undefined = 0o600) => ({
  name: ".env",
  contents,
  mode,
});

test.each<[string, Record<string, string>]>([
  ["A=b", { A: "b" }],
  ["export A=b", { A: "b" }],
  ["  A = b  ", { A: "b" }],
  ["A=", { A: "" }],
  ["A='b # c' # comment", { A: "b # c" }],
  ['A="b c"', { A: "b c" }],
  ["A=b # comment", { A: "b" }],
  ["A=it's", { A: "it's" }],
  ["# A=b\n\n \t\r\nB=c\r\n", { B: "c" }],
  ["\uFEFFA=b", { A: "b" }],
  ["", {}],
])("%j is read as %j", (contents, values) => {
  expect(readSecretsFile(file(contents))).toEqual({ values, problems: [] });
});

test.each([
  ["A=1\nnonsense", ".env, line 2"],
  ["A: b", ".env, line 1"],
  ['\n\nA="unterminated', ".env, line 3"],
  ["A=cut#off", ".env, line 1"],
  ['A="b" c', ".env, line 1"],
  ["1A=b", ".env, line 1"],
  ["=b", ".env, line 1"],
  ["A=1\r\nB=2\r\nA=3", ".env, line 3"],
  ["\0\x01\x02", ".env, line 1"],
])("%j is a problem at its line", (contents, variable) => {
  expect(readSecretsFile(file(contents)).problems).toMatchObject([{ variable }]);
});

test.each([0o644, 0o640, 0o604, 0o660, 0o100644])("mode %o is refused", (mode) => {
  expect(readSecretsFile(file("A=b", mode)).problems).toMatchObject([
    { variable: ".env", hint: "Run: chmod 600 .env" },
  ]);
});

test.each([0o600, 0o400, 0o100600])("mode %o is accepted", (mode) => {
  expect(readSecretsFile(file("A=b", mode)).problems).toEqual([]);
});

test("where files have no modes, none is checked", () => {
  expect(readSecretsFile({ name: ".env", contents: "A=b", mode: undefined }).problems).toEqual([]);
});

test("no problem shows what stands in the file", () => {
  const { problems } = readSecretsFile(file(`TELEGRAM_BOT_TOKEN ${token}\nX=${token}#\n`, 0o666));

  expect(problems).toHaveLength(3);
  expect(JSON.stringify(problems)).not.toContain("AAAA");
});

test("environment variables win over the file, unless they are blank", () => {
  const contents = `TELEGRAM_BOT_TOKEN=${token}\nLOG_LEVEL=error\nQUEUE_CONCURRENCY=3`;
  const env = { LOG_LEVEL: "warn", QUEUE_CONCURRENCY: "" };

  const config = parseConfig(env, file(contents));

  expect(config.telegram.token?.reveal()).toBe(token);
  expect(config.log.level).toBe("warn");
  expect(config.queue.concurrency).toBe(3);
  expect(process.env["TELEGRAM_BOT_TOKEN"]).toBeUndefined();
});

test("problems of the file and of the settings come together", () => {
  const parse = () => parseConfig({ LOG_LEVEL: "loud" }, file("nonsense\nQUEUE_SPED=1", 0o644));

  expect(parse).toThrow(ConfigurationError);
  try {
    parse();
  } catch (error) {
    const variables = (error as ConfigurationError).problems.map((p) => p.variable);
    expect(variables).toEqual([".env", ".env, line 1", "LOG_LEVEL", "QUEUE_SPED"]);
  }
});
