/** OpenAPI: the document that describes the API (version 3.1), made from its route table. */
import { z } from "zod";
import type { DataRoute, Route } from "./route.ts";

const error = z.object({
  success: z.literal(false),
  error: z.object({
    code: z.string().describe("Stable across versions; match on this"),
    message: z.string(),
    hint: z.string().optional().describe("What can be done"),
    problems: z.array(z.object({ field: z.string(), problem: z.string() })).optional(),
  }),
  timestamp: z.string(),
});

/** Refusals that every route may give, by status; a row may add others. */
const common = {
  400: "The request cannot be understood",
  401: "No token, or a wrong one",
  403: "The token is not for this, or the request was meant for another host",
  429: "Too many requests, or too many wrong tokens; see Retry-After",
  500: "Something failed; see the log",
  503: "Not available at present",
} as const;

export function describeApi(table: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const row of table) {
    const path = row.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [row.method]: describeRow(row) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Monitoring API",
      version,
      description:
        "Answers are {success, data, timestamp} or {success: false, error: {code, message}, timestamp}. " +
        "On this machine reading needs no token; changes always do.",
    },
    paths,
    components: {
      schemas: { Error: schemaOf(error, "output") },
      securitySchemes: {
        read: { type: "http", scheme: "bearer", description: "MONITORING_TOKEN" },
        operate: { type: "http", scheme: "bearer", description: "RESTART_TOKEN" },
      },
    },
  };
}

function describeRow(row: Route): object {
  const parameters = [...parametersOf("path", row.params), ...parametersOf("query", row.query)];
  const content = row.body && { "application/json": { schema: schemaOf(row.body, "input") } };
  return {
    operationId: nameOf(row),
    summary: row.summary,
    security: securityOf(row),
    ...(parameters.length > 0 && { parameters }),
    ...(content && { requestBody: { required: false, content } }),
    responses: { ...answersOf(row), ...refusalsOf(row) },
  };
}

/** `post /api/dead-letters/:id/requeue` is `postApiDeadLettersIdRequeue`. */
function nameOf({ method, path }: Route): string {
  const words = path.split(/[^a-zA-Z]+/).filter(Boolean);
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return `${method}${name || "Page"}`;
}

function securityOf({ access }: Route): object[] {
  switch (access) {
    case "anyone":
      return [];
    case "anyone-in-part":
      return [{}, { read: [] }, { operate: [] }];
    case "read":
      return [{ read: [] }, { operate: [] }];
    case "operate":
      return [{ operate: [] }];
  }
}

function parametersOf(place: "path" | "query", schema: z.ZodType | undefined): object[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemaOf(schema, "input");
  return Object.entries(properties).map(([name, of]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: of,
  }));
}

function answersOf(row: Route): Record<string, object> {
  if (!("data" in row)) {
    const content = { [row.contentType]: { schema: {} } };
    return { 200: { description: "As the content type says", content } };
  }
  const statuses = row.statuses ?? { 200: "Done" };
  return Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [
      status,
      { description, content: contentOf(row, Number(status)) },
    ]),
  );
}

function contentOf(row: DataRoute, status: number): object {
  const schema = {
    type: "object",
    properties: {
      success: { const: status < 400 },
      data: schemaOf(row.data, "output"),
      timestamp: { type: "string", format: "date-time" },
    },
    required: ["success", "data", "timestamp"],
    additionalProperties: false,
  };
  const others = Object.keys(row.forms ?? {}).map((type) => [type, { schema: {} }]);
  return { "application/json": { schema }, ...Object.fromEntries(others) };
}

function refusalsOf(row: Route): Record<string, object> {
  const takes = row.params ?? row.query ?? row.body;
  const statuses = {
    ...(takes && { 400: common[400] }),
    ...(row.access !== "anyone" && { 401: common[401] }),
    403: common[403],
    429: common[429],
    500: common[500],
    503: common[503],
    ...row.refusals,
  };
  const content = { "application/json": { schema: { $ref: "#/components/schemas/Error" } } };
  const answers = "data" in row ? (row.statuses ?? {}) : {};
  return Object.fromEntries(
    Object.entries(statuses)
      .filter(([status]) => !(status in answers))
      .map(([status, description]) => [status, { description, content }]),
  );
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): ObjectSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest as ObjectSchema;
}
