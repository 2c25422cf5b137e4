/** PostgreSQL's programs: where they are, and how they are run by whoever tests with a server. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The ordinary user that runs a server where the tests run as root. */
export const nobody = { user: 65_534, group: 65_534 };

/**
 * The directory of PostgreSQL's programs; `undefined` when they are not installed. Debian keeps them out of
 * the PATH.
 *
 * @param programs Those that have to be there.
 */
export function findPostgres(
  programs: readonly string[] = ["initdb", "postgres", "pg_basebackup"],
): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian)
    ? readdirSync(debian).sort((a, b) => Number(b) - Number(a))
    : [];
  const directories = [
    ...versions.map((version) => join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(":"),
  ];
  return directories.find((directory) =>
    programs.every((program) => existsSync(join(directory, program))),
  );
}

/** What stands before a program, because PostgreSQL refuses to run as root. */
export function asOrdinaryUser(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  return ["setpriv", `--reuid=${nobody.user}`, `--regid=${nobody.group}`, "--clear-groups"];
}
