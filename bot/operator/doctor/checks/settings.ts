/** Settings checks: whether `.env` is private, and whether its settings are valid. */
import type { ConfigurationProblem } from "../../../core/errors.ts";
import { type Check, doubtful, fine, toCheck, wrong } from "../check.ts";

export interface EnvFileFact {
  readonly found: boolean;
  /** Permission bits; `undefined` where files have none. */
  readonly mode: number | undefined;
}

export const envFile: Check<EnvFileFact> = {
  name: ".env",
  applies: "always",
  look: ({ envFile: file }) => ({ found: file !== undefined, mode: file?.mode }),
  judge: ({ found, mode }) => {
    if (!found) {
      return doubtful(
        "there is none: defaults and environment variables are used",
        "cp .env.example .env && chmod 600 .env",
      );
    }
    if (mode !== undefined && (mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(3, "0");
      return wrong(`others can read it (mode ${shown})`, "chmod 600 .env");
    }
    return fine("only its owner can read it");
  },
};

export interface SettingsFact {
  readonly problems: readonly ConfigurationProblem[];
  readonly profile: string;
  readonly hasToken: boolean;
}

export const settings: Check<SettingsFact> = {
  name: "settings",
  applies: "always",
  look: ({ config, problems }) => ({
    problems,
    profile: config.lifecycle.profile,
    hasToken: config.telegram.token !== undefined,
  }),
  judge: ({ hasToken, problems, profile }) => {
    if (problems.length > 0) {
      return problems.map(({ expected, hint, received, variable }) =>
        wrong(`${variable}: expected ${expected}, received ${received}`, hint),
      );
    }
    return fine(
      `${profile}, ${hasToken ? "with a token" : "without a token: the sandbox is used"}`,
    );
  },
};

export const settingsChecks = [toCheck(envFile), toCheck(settings)];
