import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configRules } from "../../bot/config/consistency.ts";
import { readSecretsFile } from "../../bot/config/secrets-file.ts";
import { settingRows } from "../../bot/config/settings-table.ts";
import { configurationDocument, envExample, helpText } from "../../bot/config/settings-text.ts";
import { shopSettings } from "../../bot/shop/settings.ts";

const rows = settingRows(shopSettings);

const shipped = readFileSync(new URL("../../.env.example", import.meta.url), "utf8");

test(".env.example is in step with the table", () => {
  expect(shipped).toBe(envExample(shopSettings));
});

test("docs/configuration.md is in step with the table and the rules (npm run docs)", () => {
  const document = new URL("../../docs/configuration.md", import.meta.url);
  expect(readFileSync(document, "utf8")).toBe(configurationDocument(shopSettings));
  for (const { expected, hint, variables } of configRules) {
    for (const text of [...variables, expected, hint]) {
      expect(configurationDocument(shopSettings)).toContain(text);
    }
  }
});

test(".env.example can be copied as it is, and with every line switched on", () => {
  expect(readSecretsFile({ name: ".env", contents: shipped, mode: 0o600 })).toEqual({
    values: {},
    problems: [],
  });
  const on = shipped.replace(/^# (?=[A-Z_]+=)/gm, "");
  const { values, problems } = readSecretsFile({ name: ".env", contents: on, mode: 0o600 });
  expect(problems).toEqual([]);
  expect(Object.keys(values).sort()).toEqual(rows.map((row) => row.setting.variable).sort());
});

test("help and the document name every variable with its sentence", () => {
  for (const { setting } of rows) {
    for (const text of [helpText(shopSettings), configurationDocument(shopSettings)]) {
      expect(text).toContain(setting.variable);
      expect(text).toContain(setting.sentence);
    }
  }
});

test("no variable stands in the table twice, and every sentence is one", () => {
  const names = rows.map((row) => row.setting.variable);
  expect(new Set(names).size).toBe(names.length);
  for (const { setting } of rows) expect(setting.sentence).toMatch(/^[A-Z/].*\.$/);
});
