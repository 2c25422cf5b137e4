/** Monitoring: the API, and what it shows and does of all the parts. */
import { AccessTokens } from "../api/access-tokens.ts";
import { MonitoringServer } from "../api/monitoring.ts";
import type { FaultToleranceConfig } from "../config/fault-tolerance-config.ts";
import { Replaceable } from "../utils/fault-tolerance-manager/replaceable.ts";
import { createActions, createView, type ShownParts } from "./monitoring-view.ts";
import { version } from "./version.ts";

export function createMonitoring(config: FaultToleranceConfig, parts: ShownParts) {
  const { monitoring, storage } = config;
  const { host, hostNames, operateTokens = [], readToken } = monitoring;
  const { clock, publish, stream } = parts;
  const tokens = new AccessTokens({
    clock,
    publish,
    directory: storage.directory,
    operate: operateTokens,
    read: readToken ? [readToken] : [],
  });
  const view = createView(config, parts);
  const actions = createActions(parts);
  let { port } = monitoring;
  const api = new Replaceable(
    () =>
      new MonitoringServer({
        clock,
        publish,
        stream,
        view,
        actions,
        version,
        host,
        ...(hostNames && { hostNames }),
        port,
        tokens: () => tokens.current,
        // A new instance keeps the port that the first one was given.
        onListening: (taken) => {
          port = taken;
        },
      }),
  );
  return { api, tokens };
}
