/**
 * Route: one row of the API's table: an address, the right it needs, its input and its answer.
 *
 * The same rows register the routes (application.ts) and describe them (openapi.ts).
 */
import type { Response } from "express";
import type { z } from "zod";
import type { Clock } from "../core/clock.ts";
import type { EventStream } from "./event-stream.ts";
import type { MonitoringActions, MonitoringView, Shape } from "./view-and-actions.ts";

/** The rights of a caller. The right to operate includes the right to read. */
export type Scope = "nothing" | "read" | "operate";

/**
 * The right that a route needs: none (`anyone`; tokens are ignored), none for a part of the answer
 * (`anyone-in-part`), or the right to `read` or to `operate`.
 */
export type Access = "anyone" | "anyone-in-part" | "read" | "operate";

/** A checked request, as a handler sees it. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly scope: Scope;
  readonly header: (name: string) => string | undefined;
}

/** The bot, as handlers see it. */
export interface Bot {
  readonly clock: Clock;
  readonly view: MonitoringView;
  readonly actions: MonitoringActions;
  readonly stream: EventStream;
  /** The OpenAPI document (openapi.ts). */
  readonly document: object;
}

/** Small facts for the audit line; never a payload. */
export type AuditFacts = Readonly<Record<string, number | string | boolean>>;

interface Row<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly method: "get" | "post" | "delete";
  /** As Express writes it: `/api/dead-letters/:id`. */
  readonly path: string;
  readonly access: Access;
  /** One sentence for the OpenAPI document. */
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Refusals of this route alone: when each status is given. */
  readonly refusals?: Readonly<Record<number, string>>;
  /** Milliseconds the handler may take. Default 5000, longer than a health probe may. */
  readonly withinMs?: number;
  /** Calls a minute from one address. Default: only the general limit. */
  readonly perMinute?: number;
  /**
   * Facts that the audit line shows beside the address. Every change has such a line; reading has one when
   * this is given and the caller has the right to operate.
   */
  readonly audit?: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => AuditFacts;
}

interface DataRow<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  D extends z.ZodType,
> extends Row<P, Q, B> {
  /** The shape of `data` in the answer. */
  readonly data: D;
  /** Default 200. From 400 on the answer's `success` is false. */
  readonly status?: (data: Shape<D>) => number;
  /** Statuses that `status` can give. Default 200. */
  readonly statuses?: Readonly<Record<number, string>>;
  /** Other forms of the answer, by media type, for clients that ask for one (`Accept`). */
  readonly forms?: Readonly<Record<string, (data: Shape<D>) => object>>;
  readonly handle: (
    call: Call<z.output<P>, z.output<Q>, z.output<B>>,
    bot: Bot,
  ) => Shape<D> | Promise<Shape<D>>;
}

interface RawRow<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>
  extends Row<P, Q, B> {
  /** Media type of the answer, which is not in the API's form. */
  readonly contentType: string;
  readonly respond: (
    call: Call<z.output<P>, z.output<Q>, z.output<B>>,
    bot: Bot,
    response: Response,
  ) => void | Promise<void>;
}

/** A row of the table; its exact types are only needed where it is written. */
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
