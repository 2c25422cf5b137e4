/** The document and the routes: each says what the other does. */
import { expect, test } from "vitest";
import { z } from "zod";
import { createApplication } from "../../bot/api/application.ts";
import { describeApi } from "../../bot/api/openapi.ts";
import { RateLimits } from "../../bot/api/rate-limits.ts";
import { routeTable } from "../../bot/api/route-table.ts";
import {
  hold,
  letter,
  operateToken,
  panel,
  serverDeps,
  setupApi,
  sharing,
} from "./api-under-test.ts";

interface Operation {
  readonly summary: string;
  readonly operationId: string;
  readonly security: readonly object[];
  readonly responses: Readonly<Record<string, { readonly content: Content }>>;
}
type Content = Readonly<
  Record<string, { readonly schema: Parameters<typeof z.fromJSONSchema>[0] }>
>;
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

const { paths } = describeApi(routeTable, "1.2.3") as { paths: Paths };
const documented = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

test("what Express has registered is documented, and nothing else is", () => {
  const { deps, stream } = serverDeps();
  const limits = new RateLimits();
  const app = createApplication({
    ...deps,
    table: routeTable,
    bot: { ...deps, clock: serverDeps().clock, stream, document: {} },
    hosts: { loopback: true, names: [], port: () => 1 },
    limits,
  });
  limits.close();
  const layers = (app as unknown as { router: { stack: Layer[] } }).router.stack;
  // One with every method is the refusal of the others.
  const registered = layers.flatMap(({ route }) => {
    const methods = Object.keys(route?.methods ?? {});
    if (methods.length > 1) return [];
    return methods.map((method) => `${method} ${route?.path.replace(/:(\w+)/g, "{$1}")}`);
  });

  expect(registered.length).toBeGreaterThan(25);
  expect(registered.sort()).toEqual(
    documented.map(({ method, path }) => `${method} ${path}`).sort(),
  );
});

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

test("names of operations are unique, and every one says what it does", () => {
  const names = documented.map(({ operation }) => operation.operationId);
  expect(new Set(names).size).toBe(names.length);
  for (const { operation } of documented) expect(operation.summary).toMatch(/^[A-Z].{10,}\.$/s);
});

test("whatever changes something needs the token for changes", () => {
  for (const { method, operation } of documented) {
    if (method !== "get") expect(operation.security).toEqual([{ operate: [] }]);
  }
});

/** Bodies for what needs one. */
const bodies: Readonly<Record<string, object>> = {
  "post /api/message-queue/pause": { pool: "sending" },
  "post /api/message-queue/resume": { type: "update" },
  "post /api/dead-letters/requeue": { ids: [letter.id, 8] },
  "post /api/dead-letters/delete": { filter: { reason: "refused" } },
  "post /api/holds/{id}/release": {},
  "post /api/log-level": { level: "debug" },
};

test.each(documented.map(({ method, path, operation }) => [method, path, operation] as const))(
  "%s %s answers as documented",
  async (method, path, operation) => {
    const { call } = await setupApi();

    const answer = await call({
      // The stream would never end.
      method: path === "/api/events" ? "HEAD" : method.toUpperCase(),
      path: path
        .replace("{id}", path.includes("holds") ? hold.id : String(letter.id))
        .replace("{number}", String(sharing.number))
        .replace("panels/{name}", `panels/${panel.name}`)
        .replace("{name}", "uplot.js"),
      token: operateToken,
      ...(bodies[`${method} ${path}`] && { body: JSON.stringify(bodies[`${method} ${path}`]) }),
    });

    const { content } = operation.responses[answer.status] ?? {};
    expect(content, `status ${answer.status}: ${answer.text}`).toBeDefined();
    expect(answer.status).toBeLessThan(300);
    const [type = ""] = String(answer.headers["content-type"]).split(";");
    const documentedType = Object.keys(content ?? {}).find((name) => name.split(";")[0] === type);
    expect(documentedType ?? content?.["*/*"]).toBeDefined();
    const schema = content?.[documentedType ?? "*/*"]?.schema;
    if (schema && type === "application/json") z.fromJSONSchema(schema).parse(answer.json);
  },
);

test.each(["/api/status", "/api/dead-letters/999", "/api/dead-letters?limit=x", "/nothing"])(
  "a refusal of %s is in the documented form",
  async (path) => {
    const { call } = await setupApi({
      view: { status: () => Promise.reject(new Error("broken")) },
    });
    const { components } = describeApi(routeTable, "1") as {
      components: { schemas: { Error: Parameters<typeof z.fromJSONSchema>[0] } };
    };

    const answer = await call({ path });

    expect(answer.status).toBeGreaterThanOrEqual(400);
    z.fromJSONSchema(components.schemas.Error).parse(answer.json);
  },
);

test("the document is served", async () => {
  const { call } = await setupApi();

  const { json } = await call({ path: "/api/openapi.json" });

  expect(json).toEqual(describeApi(routeTable, "1.2.3"));
  expect(json).toMatchObject({ openapi: "3.1.0", info: { version: "1.2.3" } });
});
