/** Panel routes: the pages that a module brings, without what is about people unless the caller may operate. */
import { z } from "zod";
import { BotError } from "../../core/errors.ts";
import { notFound } from "../refusal.ts";
import { type Route, route } from "../route.ts";
import * as shapes from "../shapes/panels.ts";
import type { Shape } from "../view-and-actions.ts";

/** A module's panel gives something that cannot be shown. */
class PanelRefusedError extends BotError {
  override readonly code = "PANEL_REFUSED";
  override readonly transient = false;
}

type Content = Shape<typeof shapes.panelContent>;

export const panelRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/panels",
    access: "read",
    summary: "The panels that the module brings: pages with its own figures, charts and tables.",
    data: shapes.panelList,
    handle: (_call, { view }) => ({
      panels: view.panels().map(({ name, title }) => ({ name, title })),
    }),
  }),
  route({
    method: "get",
    path: "/api/panels/:name",
    access: "read",
    summary: "What one panel shows; what is about people only with the right to operate.",
    params: z.strictObject({ name: z.string().min(1).max(40) }),
    data: shapes.panel,
    refusals: { 404: "There is no such panel" },
    handle: async ({ params, scope }, { view }) => {
      const found = view.panels().find(({ name }) => name === params.name);
      if (!found) throw notFound(`there is no panel ${params.name}`);
      const { name, read, title } = found;
      const content = checked(name, await read());
      const open = scope === "operate";
      const shown = open ? content : withoutPeople(content);
      return { name, title, withheld: !open && hasPeople(content), ...shown };
    },
  }),
];

function checked(name: string, given: unknown): Content {
  const result = shapes.panelContent.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join(".") || "content";
  throw new PanelRefusedError(`panel ${name}: ${field}: ${issue?.message ?? "not as expected"}`, {
    hint: "bot/kit/panel.ts says what a panel may hold.",
  });
}

function hasPeople({ figures = [], tables = [] }: Content): boolean {
  return [...figures, ...tables.flatMap(({ columns }) => columns)].some(({ people }) => people);
}

function withoutPeople(content: Content): Content {
  const { figures, tables } = content;
  return {
    ...content,
    ...(figures && { figures: figures.filter(({ people }) => !people) }),
    ...(tables && {
      tables: tables.map((table) => {
        const isKept = (_: unknown, index: number) => table.columns[index]?.people !== true;
        // A value beyond the columns belongs to none, so nothing says that it may be shown.
        const rows = table.rows.map((row) => row.slice(0, table.columns.length).filter(isKept));
        return { ...table, columns: table.columns.filter(isKept), rows };
      }),
    }),
  };
}
