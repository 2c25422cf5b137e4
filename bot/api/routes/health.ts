/** Health routes: whether the bot is alive, ready and healthy. */

import { type Route, route } from "../route.ts";
import * as shapes from "../shapes/health.ts";
import type { Shape } from "../view-and-actions.ts";

export const healthRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/api/live",
    access: "anyone",
    summary: "Whether the process answers; checks nothing else. For a liveness probe.",
    data: shapes.live,
    handle: (_call, { view }) => view.live(),
  }),
  route({
    method: "get",
    path: "/api/ready",
    access: "anyone",
    summary:
      "Whether the bot takes work: started, not draining, storage open. For a readiness probe.",
    data: shapes.ready,
    status: ({ ready }) => (ready ? 200 : 503),
    statuses: { 200: "Ready", 503: "Not ready; the reasons say why" },
    handle: (_call, { view }) => view.ready(),
  }),
  route({
    method: "get",
    path: "/api/health",
    access: "anyone-in-part",
    summary:
      "The state of every part and of the whole; without the right to read only of the whole.",
    data: shapes.health,
    status: ({ status }) => (status === "unhealthy" ? 503 : 200),
    statuses: { 200: "Healthy or degraded", 503: "Unhealthy" },
    forms: { "application/health+json": toHealthJson },
    handle: ({ scope }, { view }) => {
      if (scope !== "nothing") return view.health();
      return Promise.resolve(view.health()).then(({ status }) => ({ status }));
    },
  }),
  route({
    method: "get",
    path: "/api/health/history",
    access: "read",
    summary: "The latest answers of every probe.",
    data: shapes.healthHistory,
    handle: (_call, { view }) => view.healthHistory(),
  }),
  route({
    method: "get",
    path: "/api/connections",
    access: "read",
    summary: "Connections to Telegram and to the database.",
    data: shapes.connections,
    handle: (_call, { view }) => view.connections(),
  }),
];

const verdicts = { healthy: "pass", degraded: "warn", unhealthy: "fail" } as const;
const units: readonly (readonly [RegExp, string])[] = [
  [/Ms$/, "ms"],
  [/Seconds$/, "s"],
  [/Bytes$/, "bytes"],
  [/Percent$/, "percent"],
];

/** Source: draft-inadarei-api-health-check-06. */
function toHealthJson({ checks = {}, status }: Shape<typeof shapes.health>): object {
  const entries = Object.entries(checks).flatMap(([probe, check]) => {
    const { answer: _answer, checkedAt, duration, reason, status: verdict, ...figures } = check;
    const common = { componentType: "component", time: checkedAt };
    const judged = { status: verdicts[verdict], ...(reason !== undefined && { output: reason }) };
    const time = { ...common, ...judged, observedValue: duration, observedUnit: "ms" };
    const others = Object.entries(figures).map(([name, observedValue]) => {
      const [, observedUnit] = units.find(([ending]) => ending.test(name)) ?? [];
      const unit = observedUnit !== undefined && { observedUnit };
      return [`${probe}:${name}`, [{ ...common, observedValue, ...unit }]] as const;
    });
    return [[`${probe}:responseTime`, [time]] as const, ...others];
  });
  return {
    status: verdicts[status],
    ...(entries.length > 0 && { checks: Object.fromEntries(entries) }),
  };
}
