/** Sandbox: a local Telegram Bot API server. (Signatures first; the server follows.) */
import type { FloodMode, SandboxControl } from "./control-api.ts";

/** The token a sandbox accepts unless told otherwise. It is nobody's secret. */
export const sandboxToken = "123456789:SANDBOX-TOKEN-not-a-real-one-0000000";

export interface FloodLimitOptions {
  readonly chatPerSecond?: number;
  readonly chatBurst?: number;
  readonly groupPerMinute?: number;
  readonly botPerSecond?: number;
}

export interface SandboxOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tokens?: readonly string[];
  readonly pacing?: boolean;
  readonly flood?: FloodMode;
  readonly floodLimits?: FloodLimitOptions;
  readonly queryLifetimeMs?: number;
  readonly seed?: number;
}

export class Sandbox {
  readonly options: SandboxOptions;

  constructor(options: SandboxOptions = {}) {
    this.options = options;
  }

  get control(): SandboxControl {
    throw new Error("not built yet");
  }

  start(): Promise<{ url: string; port: number }> {
    throw new Error("not built yet");
  }

  async stop(): Promise<void> {}
}
