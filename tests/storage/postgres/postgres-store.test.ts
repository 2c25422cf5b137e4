/** PostgreSQL store: the conformance suite. */

import { ManualClock } from "../../support/manual-clock.ts";
import { noPostgres } from "../../support/postgres.ts";
import { createPostgresStore, makeSchema, untilFree } from "../../support/postgres-store.ts";
import { describeStore } from "../store-conformance.ts";

describeStore(
  "PostgreSQL",
  async () => {
    const schema = makeSchema();
    const clock = new ManualClock();
    const store = await createPostgresStore({ schema, clock });
    await store.open();
    const reopenAfterKill = async () => {
      await store.kill();
      await untilFree(schema);
      const next = await createPostgresStore({ schema, clock });
      await next.open();
      return next;
    };
    return { store, clock, reopenAfterKill };
  },
  { backups: false, skip: noPostgres },
);
