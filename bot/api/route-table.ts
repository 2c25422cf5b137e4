/** Route table: every address of the API. A new one is a new row in one of these files. */
import type { Route } from "./route.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { healthRoutes } from "./routes/health.ts";
import { operationRoutes } from "./routes/operations.ts";
import { pageRoutes } from "./routes/page.ts";
import { queueRoutes } from "./routes/queue.ts";
import { stateRoutes } from "./routes/state.ts";

/** Of two rows that fit an address, the first one is taken. */
export const routeTable: readonly Route[] = [
  ...healthRoutes,
  ...stateRoutes,
  ...queueRoutes,
  ...deadLetterRoutes,
  ...operationRoutes,
  ...pageRoutes,
];
