/** The dashboard's rules: its verdict, its texts, its colours. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deadReasons, messageTypes } from "../../bot/core/message.ts";
import { status as quietStatus } from "./api-under-test.ts";

const directory = new URL("../../bot/api/dashboard/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, directory), "utf8");
// The page's scripts are plain JavaScript, without types.
const { judge } = await import(new URL("verdict.js", directory).href);
const { reasons, types } = await import(new URL("dead-letters.js", directory).href);
const { catalogue, setLanguage } = await import(new URL("texts.js", directory).href);

const nowMs = 100_000;
const well = {
  health: { status: "healthy", checks: { database: { status: "healthy", duration: 1 } } },
  status: quietStatus,
  queue: { pools: { handling: { paused: false } } },
  incidents: { incidents: [] },
};
const incident = { id: 1, openedAtEpochMs: 40_000, measures: [{ measure: "reconnect", times: 3 }] };

test("dead letters can be filtered by every type and reason that there is", () => {
  expect(types).toEqual(messageTypes);
  expect(reasons).toEqual(deadReasons);
  for (const texts of Object.values<{ reasonName: object }>(catalogue)) {
    expect(Object.keys(texts.reasonName).toSorted()).toEqual([...deadReasons].toSorted());
  }
});

describe("verdict", () => {
  test.each<[string, object, string, string]>([
    ["nothing is wrong", well, "healthy", "Everything works."],
    ["nothing is known yet", {}, "unknown", "Asking the bot for its state…"],
    [
      "the bot is gone",
      { ...well, lost: true },
      "disconnected",
      "Disconnected: the bot does not answer",
    ],
    [
      "a probe fails",
      { ...well, health: health("unhealthy", { disk: { status: "unhealthy", reason: "full" } }) },
      "unhealthy",
      "Unhealthy: Disk: full",
    ],
    [
      "a probe whose reason names it",
      {
        ...well,
        health: health("degraded", {
          telegram: { status: "degraded", reason: "Telegram is away" },
        }),
      },
      "degraded",
      "Degraded: Telegram is away",
    ],
    [
      "a degraded probe and an unhealthy one: the worse is in the sentence",
      {
        ...well,
        health: health("unhealthy", {
          clock: { status: "degraded", reason: "jumped" },
          disk: { status: "unhealthy", reason: "full" },
        }),
      },
      "unhealthy",
      "Unhealthy: Disk: full, and 1 more",
    ],
    [
      "an incident is open",
      {
        ...well,
        incidents: {
          incidents: [{ ...incident, subject: "connection x", trouble: "connection-lost" }],
        },
      },
      "degraded",
      "Degraded: connection x: connection lost",
    ],
    [
      "an incident is over",
      {
        ...well,
        incidents: {
          incidents: [{ ...incident, subject: "connection x", closedAtEpochMs: 50_000 }],
        },
      },
      "healthy",
      "Everything works.",
    ],
    ["the breaker is open", withStatus({ breaker: "open" }), "degraded", "Circuit breaker open"],
    [
      "earlier processes kept dying",
      withStatus({ safeMode: { state: "careful", deaths: 3, concurrency: 1 } }),
      "degraded",
      "Safe mode: after 3 crashes in a row, updates are handled 1 at a time",
    ],
    [
      "back-pressure",
      withStatus({ intake: { state: "back-pressure" } }),
      "degraded",
      "Back-pressure",
    ],
    [
      "the intake is held",
      withStatus({ intake: { state: "held" } }),
      "degraded",
      "No updates are taken in, on purpose",
    ],
    [
      "a component is stuck",
      withStatus({ components: [{ name: "polling", state: "stuck" }] }),
      "degraded",
      "Component polling is stuck",
    ],
    [
      "a pool is paused",
      { ...well, queue: { pools: { sending: { paused: true } } } },
      "degraded",
      "Pool sending is paused",
    ],
  ])("%s", (_what, state, status, sentence) => {
    const verdict = judge(state, nowMs);
    expect(verdict.status).toBe(status);
    expect(verdict.sentence).toContain(sentence);
  });

  test("seconds that count are kept out of the sentence, which is read aloud", () => {
    const open = { ...incident, subject: "connection x", trouble: "connection-lost" };
    const state = { ...well, incidents: { incidents: [open] } };
    expect(judge(state, nowMs + 5_000).sentence).toBe(judge(state, nowMs).sentence);
    expect(judge(state, nowMs).reasons[0].more).toBe("open for 1 min 0 s · tried: reconnect ×3");
  });

  test("whatever is missing, there is a verdict", () => {
    const full = {
      ...well,
      health: health("unhealthy", { disk: { status: "unhealthy", reason: "full" } }),
      incidents: { incidents: [{ ...incident, subject: "x", trouble: "disk-full" }] },
    };
    fc.assert(
      fc.property(fc.infiniteStream(fc.boolean()), (coins) => {
        const { sentence } = judge(withGaps(full, coins), nowMs);
        expect(sentence).toMatch(/./);
        expect(sentence).not.toMatch(/undefined|NaN|\[object/);
      }),
    );
  });
});

describe("texts", () => {
  test("every language has every text, with the same arguments", () => {
    const shapeOf = (texts: object): unknown =>
      Object.entries(texts).map(([key, text]) => {
        if (typeof text === "function") return [key, text.length];
        return typeof text === "object" ? [key, shapeOf(text)] : [key, "text"];
      });
    expect(shapeOf(catalogue.zh)).toEqual(shapeOf(catalogue.en));
  });

  test("the page's own words are the catalogue's English", () => {
    setLanguage("en");
    const html = read("index.html");
    const texts = [...html.matchAll(/data-text="([^"]+)"[^>]*>([^<]*)</g)];
    const labels = [...html.matchAll(/aria-label="([^"]*)" data-label="([^"]+)"/g)];
    expect(texts.length).toBeGreaterThan(50);
    expect(labels.length).toBeGreaterThan(5);
    for (const [, key = "", text] of texts) expect(text).toBe(catalogue.en[key]);
    for (const [, text, key = ""] of labels) expect(text).toBe(catalogue.en[key]);
  });

  test("every text that a script asks for exists", () => {
    const scripts = [
      "app",
      "cards",
      "charts",
      "dead-letters",
      "dialogs",
      "panels",
      "records",
      "verdict",
      "work",
    ];
    const asked = scripts.flatMap((name) => [
      ...read(`${name}.js`).matchAll(/\bt\(\s*"([\w.-]+)"/g),
    ]);
    expect(asked.length).toBeGreaterThan(60);
    for (const [, key = ""] of asked) expect(catalogue.en).toHaveProperty([key]);
  });
});

describe("page", () => {
  test("has no script or style in line, and writes text only as text", () => {
    expect(read("index.html")).not.toMatch(/\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/);
    const scripts = [
      "app",
      "cards",
      "charts",
      "dead-letters",
      "dialogs",
      "elements",
      "panels",
      "records",
      "tails",
    ];
    for (const name of scripts) {
      expect(read(`${name}.js`)).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|\beval\b/);
    }
  });

  test.each([0, 1])("its colours can be read, by day and by night (%i)", (scheme) => {
    const table = [...read("style.css").matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)];
    const colours = Object.fromEntries(table.map(([, name, ...both]) => [name, both[scheme]]));
    const on = (...grounds: string[]) => grounds;
    const pairs: readonly (readonly [string, readonly string[]])[] = [
      ["text", on("background", "panel", "raised", "good-ground", "warn-ground", "bad-ground")],
      ["faint", on("background", "panel", "raised", "good-ground", "warn-ground", "bad-ground")],
      ["accent", on("panel", "background")],
      ["good", on("panel", "good-ground")],
      ["warn", on("panel", "warn-ground", "bad-ground")],
      ["bad", on("panel", "bad-ground")],
      ["on-accent", on("accent")],
    ];
    for (const [ink, grounds] of pairs) {
      for (const ground of grounds) {
        const contrast = contrastOf(colours[ink] ?? "", colours[ground] ?? "");
        expect(contrast, `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    // Lines of a chart need 3:1 (WCAG 1.4.11).
    for (const line of ["series-1", "series-2", "series-3"]) {
      expect(contrastOf(colours[line] ?? "", colours["panel"] ?? "")).toBeGreaterThanOrEqual(3);
    }
  });
});

function health(status: string, checks: object) {
  return { status, checks };
}

function withStatus(more: object) {
  return { ...well, status: { ...quietStatus, ...more } };
}

/** The same without some of its fields. */
function withGaps(value: unknown, coins: Iterator<boolean>): unknown {
  const flip = () => coins.next().value === true;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withGaps(item, coins));
  const kept = Object.entries(value).filter(() => flip() || flip());
  return Object.fromEntries(kept.map(([name, inner]) => [name, withGaps(inner, coins)]));
}

/** Source: WCAG 2.2, relative luminance and contrast ratio. */
function contrastOf(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
