/** Request: checks a request against its route's schemas; a refusal names every problem. */
import express, { type Request, type Response } from "express";
import type { z } from "zod";
import { bodyBytesMax } from "./guards.ts";
import { type RequestProblem, RequestRefusedError } from "./refusal.ts";
import type { Route } from "./route.ts";

/** Accepts every content type, because the requirement's curl sends JSON as a form. */
const readBytes = express.raw({ type: () => true, limit: bodyBytesMax, inflate: false });
const problemsMax = 20;
const problemLengthMax = 200;

/** Rejects with `RequestRefusedError` 400. */
export async function checkRequest({ body, params, query }: Route, request: Request) {
  const problems: RequestProblem[] = [];
  const check = (part: string, schema: z.ZodType | undefined, value: unknown) => {
    if (!schema) return undefined;
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues.slice(0, problemsMax)) {
      const field = [part, ...issue.path].join(".");
      problems.push({ field: cut(field), problem: cut(issue.message) });
    }
    return undefined;
  };
  const checked = {
    params: check("path", params, request.params),
    query: check("query", query, queryOf(request)),
    body: body ? check("body", body, await bodyOf(request)) : undefined,
  };
  if (problems.length === 0) return checked;
  throw new RequestRefusedError({
    status: 400,
    code: "INVALID_REQUEST",
    message: problems.map(({ field, problem }) => `${field}: ${problem}`).join("; "),
    problems,
  });
}

/** A name that is given twice becomes a list, which no schema accepts. */
function queryOf({ originalUrl }: Request): Record<string, unknown> {
  const start = originalUrl.indexOf("?");
  const found = new URLSearchParams(start < 0 ? "" : originalUrl.slice(start + 1));
  const query: Record<string, unknown> = Object.create(null);
  for (const name of found.keys()) {
    const values = found.getAll(name);
    query[name] = values.length === 1 ? values[0] : values;
  }
  return query;
}

/** The body as JSON; an empty one is an empty object. */
async function bodyOf(request: Request): Promise<unknown> {
  const bytes = await bytesOf(request);
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TypeError)) throw cause;
    const message = `the body is not JSON: expected an object such as ${example}`;
    const hint = `With curl: -d '${example}'`;
    throw new RequestRefusedError({ status: 400, code: "INVALID_JSON", message, hint }, { cause });
  }
}

const example = '{"reason": "manual restart"}';

function bytesOf(request: Request): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    readBytes(request, {} as Response, (error?: unknown) => {
      if (error) reject(error);
      else resolve(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
    });
  });
}

function cut(text: string): string {
  return text.length > problemLengthMax ? `${text.slice(0, problemLengthMax)}…` : text;
}
