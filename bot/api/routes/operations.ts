/** Operation routes: what an operator can make the bot do. */
import { z } from "zod";
import { conflict, notFound } from "../refusal.ts";
import { type Bot, type Route, route } from "../route.ts";
import * as shapes from "../shapes/process.ts";

const restart = z.strictObject({
  component: z.string().min(1).max(100).optional().describe("Default: the whole process"),
  reason: z.string().max(200).optional().describe("Written into the record of the restart"),
});
const nothing = z.strictObject({});

export const operationRoutes: readonly Route[] = [
  route({
    method: "post",
    path: "/api/restart",
    access: "operate",
    summary: "Restarts one component, or drains and restarts the whole process.",
    body: restart,
    data: shapes.restarting,
    statuses: {
      200: "The restart has begun; /api/events and /api/restarts tell how it went",
    },
    refusals: {
      404: "There is no such component",
      409: "A restart is under way, or the component cannot be restarted alone",
    },
    perMinute: 10,
    audit: ({ body }) => ({ what: body.component ?? "process", reason: body.reason ?? "" }),
    handle: async ({ body }, bot) => {
      const { component, reason = "asked for over the API" } = body;
      const id = `restart-${bot.clock.epochMs().toString(36)}`;
      const detail = `${reason} (${id})`;
      if (component === undefined) {
        const begun = bot.actions.restartProcess(detail);
        if (!begun) throw conflict("RESTART_UNDER_WAY", "the process is already being restarted");
        return { id, what: "process", begun: true as const };
      }
      await checkRestartable(component, bot);
      bot.actions.restartComponent(component, detail);
      return { id, what: component, begun: true as const };
    },
  }),
  route({
    method: "post",
    path: "/api/processes/:number/restart",
    access: "operate",
    summary:
      "Asks a process that shares the database to drain and restart; it does within seconds.",
    params: z.strictObject({
      number: z.coerce
        .number()
        .int()
        .min(1)
        .max(2 ** 31 - 1),
    }),
    data: shapes.restartAsked,
    refusals: { 404: "No process of this number lives" },
    perMinute: 10,
    audit: ({ params }) => ({ what: `process ${params.number}` }),
    handle: async ({ params: { number } }, { actions }) => {
      if (await actions.askRestart(number)) return { number };
      throw notFound(`no process ${number} lives; see /api/processes`);
    },
  }),
  route({
    method: "post",
    path: "/api/log-level",
    access: "operate",
    summary: "Sets how much is logged, until the next restart.",
    body: shapes.logLevel,
    data: shapes.logLevel,
    audit: ({ body }) => ({ level: body.level }),
    handle: ({ body }, { actions }) => {
      actions.setLogLevel(body.level);
      return { level: body.level };
    },
  }),
  route({
    method: "post",
    path: "/api/backup",
    access: "operate",
    summary: "Makes a consistent copy of the database while the bot runs.",
    body: nothing,
    data: shapes.backup,
    withinMs: 300_000,
    perMinute: 6,
    handle: (_call, { actions }) => actions.backup(),
  }),
  route({
    method: "post",
    path: "/api/keys/rotate",
    access: "operate",
    summary: "Begins a new encryption key; older data are re-encrypted in the background.",
    body: nothing,
    data: shapes.keyRotation,
    perMinute: 6,
    handle: (_call, { actions }) => actions.rotateKey(),
  }),
];

async function checkRestartable(name: string, { view }: Bot): Promise<void> {
  const { components } = await view.status();
  const found = components.find((component) => component.name === name);
  const known = components.flatMap((one) => (one.restartable ? [one.name] : [])).join(", ");
  if (!found)
    throw notFound(`there is no component of that name; these can be restarted: ${known}`);
  if (!found.restartable) {
    const hint = `Restart the whole process, or one of: ${known}.`;
    throw conflict("COMPONENT_NOT_RESTARTABLE", `${name} cannot be restarted alone`, hint);
  }
  if (found.state === "restarting") {
    throw conflict("COMPONENT_RESTARTING", `${name} is already being restarted`);
  }
}
