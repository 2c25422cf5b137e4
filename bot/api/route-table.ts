/** Route table: every address of the API. Add an address as a row in one of these files. */
import type { Route } from "./route.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { healthRoutes } from "./routes/health.ts";
import { holdRoutes } from "./routes/holds.ts";
import { operationRoutes } from "./routes/operations.ts";
import { pageRoutes } from "./routes/page.ts";
import { panelRoutes } from "./routes/panels.ts";
import { queueRoutes } from "./routes/queue.ts";
import { stateRoutes } from "./routes/state.ts";

/** When two rows match an address, the first one is used. */
export const routeTable: readonly Route[] = [
  ...healthRoutes,
  ...stateRoutes,
  ...queueRoutes,
  ...holdRoutes,
  ...deadLetterRoutes,
  ...panelRoutes,
  ...operationRoutes,
  ...pageRoutes,
];
