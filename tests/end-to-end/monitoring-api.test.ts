/** The monitoring API of a real bot: what it shows is what its document says. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { eventually } from "../../lab/drill/bot-process.ts";
import { setupLiveBot } from "../support/live-bot.ts";

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];
interface Document {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          { responses: Record<string, { content: Record<string, { schema: JsonSchema }> }> }
        >
      >
    >
  >;
}

async function setup(env: Readonly<Record<string, string>> = {}) {
  const live = await setupLiveBot(env);
  live.bot.start();
  const url = await live.bot.monitoringUrl();
  const file = join(live.directory, "data", "restart-token");
  const post = (path: string, body: string, token: string) =>
    fetch(`${url}${path}`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${token}`,
        "Content-Type": "application/x-www-form-urlencoded",
      },
      body,
    });
  return { ...live, url, file, post };
}

test("every answer of a real bot is as its document says", async () => {
  const { url } = await setup();
  const { paths } = (await (await fetch(`${url}/api/openapi.json`)).json()) as Document;
  const shown = Object.entries(paths).filter(
    ([path, methods]) => methods["get"] && path.startsWith("/api/") && !path.includes("{"),
  );
  expect(shown.length).toBeGreaterThan(12);
  // One point of the charts, so that they are not empty.
  await eventually("a point", async () => {
    const series = (await (await fetch(`${url}/api/series`)).json()) as {
      data: { atEpochMs: number[] };
    };
    return series.data.atEpochMs.length > 0;
  });

  for (const [path, { get }] of shown) {
    if (path === "/api/events" || path === "/api/openapi.json") continue;
    const answer = await fetch(`${url}${path}`);
    const json = await answer.json();
    const schema =
      get?.responses[answer.status]?.content["application/json"]?.schema ?? ({} as JsonSchema);
    expect(schema, path).toHaveProperty("properties");
    const checked = z.fromJSONSchema(schema).safeParse(json);
    expect(checked.error?.issues, path).toBeUndefined();
  }
});

test("the requirement's curl restarts a bot whose operator has set nothing up", async () => {
  const { bot, file, post } = await setup();
  expect(bot.output).toContain(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const token = readFileSync(file, "utf8").trim();

  const answer = await post("/api/restart", '{"reason": "manual restart"}', token);

  expect(answer.status).toBe(200);
  const { data } = (await answer.json()) as { data: { id: string } };
  expect(await bot.ended()).toBe(0);
  bot.start();
  const url = await bot.monitoringUrl();
  const restarts = await (await fetch(`${url}/api/restarts`)).text();
  expect(restarts).toContain(`manual restart (${data.id})`);
  const incidents = await (await fetch(`${url}/api/incidents`)).text();
  expect(incidents).toContain(`manual restart (${data.id})`);
  expect(readFileSync(file, "utf8").trim()).toBe(token);
  expect(bot.output).not.toContain(token);
});

test("one component is restarted while the others go on, and the stream tells of it", async () => {
  const { post, url } = await setup({ RESTART_TOKEN: "a-token-of-ours" });
  const stream = await fetch(`${url}/api/events`);
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";

  const answer = await post("/api/restart", '{"component":"health-monitor"}', "a-token-of-ours");
  while (!seen.includes("component.recovered")) seen += (await reader?.read())?.value;
  await reader?.cancel();

  expect(answer.status).toBe(200);
  expect(seen).toMatch(/event: fact\ndata: .*"type":"component.restart-begun"/);
  expect((await fetch(`${url}/api/health`)).status).toBe(200);
});

test("keys are rotated while the bot runs, and the answer is as documented", async () => {
  const { post } = await setup({ RESTART_TOKEN: "a-token-of-ours" });

  const answer = await post("/api/keys/rotate", "", "a-token-of-ours");

  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ data: { keyId: expect.any(Number) } });
});

test("a backup is made while the bot runs, by who may operate", async () => {
  const { post } = await setup({ RESTART_TOKEN: "a-token-of-ours" });

  expect((await post("/api/backup", "", "another-token")).status).toBe(401);
  const answer = await post("/api/backup", "", "a-token-of-ours");

  expect(answer.status).toBe(200);
  const { data } = (await answer.json()) as { data: { file: string; bytes: number } };
  expect(statSync(data.file).size).toBe(data.bytes);
});

test("a bot that others can reach asks everybody for a token", async () => {
  const token = "3f9a1c5e7b2d4860f1e2d3c4b5a69788";
  const { url } = await setup({ MONITORING_HOST: "0.0.0.0", RESTART_TOKEN: token });
  const reach = url.replace("0.0.0.0", "127.0.0.1");
  const status = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(`${reach}${path}`, { headers })).status;

  expect(await status("/api/live")).toBe(200);
  expect(await status("/api/status")).toBe(401);
  expect(await status("/metrics")).toBe(401);
  expect(await status("/api/status", { Authorization: `Bearer ${token}` })).toBe(200);
  const bare = await (await fetch(`${reach}/api/health`)).json();
  expect(bare).toEqual({
    success: true,
    data: { status: expect.any(String) },
    timestamp: expect.any(String),
  });
});
