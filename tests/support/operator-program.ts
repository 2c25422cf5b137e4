/** Operator program: runs a program of `bot/operator/` as an operator does. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { node } from "../../lab/drill/bot-process.ts";
import { compileCacheEnv } from "./compile-cache.ts";

export interface ProgramResult {
  readonly exitCode: number;
  /** The combined standard output and error. */
  readonly output: string;
}

/**
 * @param name The name of the program's file, without the suffix.
 * @param directory The directory that holds the bot's `data`.
 */
export function runOperatorProgram(
  name: string,
  directory: string,
  programArguments: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramResult> {
  const file = fileURLToPath(new URL(`../../bot/operator/${name}.ts`, import.meta.url));
  const options = {
    env: {
      PATH: process.env["PATH"],
      ...compileCacheEnv,
      NODE_ENV: "test",
      DATA_DIR: join(directory, "data"),
      INIT_CWD: directory,
      ...env,
    },
  };
  return new Promise((resolve) => {
    execFile(node, [file, ...programArguments], options, (error, stdout, stderr) => {
      const exitCode = typeof error?.code === "number" ? error.code : error ? -1 : 0;
      resolve({ exitCode, output: stdout + stderr });
    });
  });
}
