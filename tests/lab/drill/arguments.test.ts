import { describe, expect, test } from "vitest";
import { DrillArgumentError, parseDrillArguments } from "../../../lab/drill/arguments.ts";

const parse = (line: string) =>
  parseDrillArguments(line.split(" ").filter(Boolean), ["one", "two"], () => 99);

describe("a drill is asked", () => {
  test.each([
    ["", { only: [], quick: false, peers: false, help: false, list: false, seed: 99 }],
    ["--quick --seed 7", { quick: true, seed: 7 }],
    ["--only one,two", { only: ["one", "two"] }],
    ["--kills 1000 --minutes 3", { kills: 1000, minutes: 3 }],
    ["--machines", { machines: 0 }],
    ["--machines 200 --seed 7", { machines: 200, seed: 7 }],
    ["--machines --list", { machines: 0, list: true }],
    ["--json a.json --html b.html", { json: "a.json", html: "b.html" }],
    ["--peers", { peers: true }],
    ["--list", { list: true }],
    ["--help", { help: true }],
  ])("%s", (line, expected) => {
    expect(parse(line)).toMatchObject(expected);
  });
});

describe("a mistake is named", () => {
  test.each([
    ["--only three", /--only.*"three".*--list/],
    ["--seed soon", /--seed.*whole number.*"soon"/],
    ["--kills 0", /--kills.*from 1/],
    ["--machines many", /--machines.*from 0.*"many"/],
    ["--minutes 1.5", /--minutes.*"1.5"/],
    ["--loud", /--loud/],
    ["one", /one/],
  ])("%s", (line, message) => {
    expect(() => parse(line)).toThrow(DrillArgumentError);
    expect(() => parse(line)).toThrow(message);
  });
});
