/**
 * Route: one row of the API's table: an address, who may use it, what it takes and what it answers.
 *
 * The same rows register the routes (application.ts) and describe them (openapi.ts).
 */
import type { Response } from "express";
import type { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { EventStream } from "./event-stream.ts";
import type { MonitoringActions, MonitoringView, Shape } from "./view-and-actions.ts";

/** What a caller may do. Who may operate may read. */
export type Scope = "nothing" | "read" | "operate";

/**
 * Who may use a route: `anyone`, whose token is not even looked at; `anyone-in-part`, who get less
 * without the right to read; or who may `read` or `operate`.
 */
export type Access = "anyone" | "anyone-in-part" | "read" | "operate";

/** What a handler is given of a request, checked. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly scope: Scope;
  readonly header: (name: string) => string | undefined;
}

/** What handlers work with. */
export interface Bot {
  readonly clock: Clock;
  readonly view: MonitoringView;
  readonly actions: MonitoringActions;
  readonly stream: EventStream;
  /** The document about all of this (openapi.ts). */
  readonly document: object;
}

/** Small facts for the audit line; never a payload. */
export type AuditFacts = Readonly<Record<string, number | string | boolean>>;

interface Row<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly method: "get" | "post" | "delete";
  /** As Express writes it: `/api/dead-letters/:id`. */
  readonly path: string;
  readonly access: Access;
  /** One sentence. */
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Refusals of its own, by status: when. */
  readonly refusals?: Readonly<Record<number, string>>;
  /** Milliseconds the handler may take. Default 5000, longer than a health probe may. */
  readonly withinMs?: number;
  /** Calls a minute from one address. Default: as many as any request. */
  readonly perMinute?: number;
  /** Of a change, what the audit line says beside the address. */
  readonly audit?: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => AuditFacts;
}

interface DataRow<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  D extends z.ZodType,
> extends Row<P, Q, B> {
  /** What `data` of the answer looks like. */
  readonly data: D;
  /** Default 200. From 400 on the answer's `success` is false. */
  readonly status?: (data: Shape<D>) => number;
  /** Statuses that `status` can give. Default 200. */
  readonly statuses?: Readonly<Record<number, string>>;
  /** The same in other forms, by media type, for who asks for one (`Accept`). */
  readonly forms?: Readonly<Record<string, (data: Shape<D>) => object>>;
  readonly handle: (
    call: Call<z.output<P>, z.output<Q>, z.output<B>>,
    bot: Bot,
  ) => Shape<D> | Promise<Shape<D>>;
}

interface RawRow<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>
  extends Row<P, Q, B> {
  /** Media type of an answer that is not in the API's form. */
  readonly contentType: string;
  readonly respond: (
    call: Call<z.output<P>, z.output<Q>, z.output<B>>,
    bot: Bot,
    response: Response,
  ) => void | Promise<void>;
}

/** A row whose types have done their work. */
export type DataRoute = DataRow<z.ZodType, z.ZodType, z.ZodType, z.ZodType>;
export type RawRoute = RawRow<z.ZodType, z.ZodType, z.ZodType>;
export type Route = DataRoute | RawRoute;

/** One row of the table that answers with data. */
export function route<
  D extends z.ZodType,
  P extends z.ZodType = z.ZodNever,
  Q extends z.ZodType = z.ZodNever,
  B extends z.ZodType = z.ZodNever,
>(row: DataRow<P, Q, B, D>): Route {
  return row as unknown as Route;
}

/** One row of the table that answers in a form of its own. */
export function rawRoute<P extends z.ZodType = z.ZodNever>(
  row: RawRow<P, z.ZodNever, z.ZodNever>,
): Route {
  return row as unknown as Route;
}
