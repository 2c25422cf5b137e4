/**
 * Secrets file: the `.env` beside the bot, read without touching `process.env`.
 *
 * Stricter than dotenv, which skips what it cannot read and cuts values at "#": here every line is a
 * setting, a comment or blank, or it is reported by its number. Its text is never shown.
 */
import { parse } from "dotenv";
import type { ConfigurationProblem } from "../core/errors.ts";

export interface SecretsFile {
  /** The name that problems show. */
  readonly name: string;
  readonly contents: string;
  /** Permission bits as `fs.stat` gives them; `undefined` where files have none (Windows). */
  readonly mode: number | undefined;
}

export interface ReadSecretsFile {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly ConfigurationProblem[];
}

/** Permissions of the group and of others. */
const othersMask = 0o077;

/** `NAME=value`, the value bare or in quotes, with or without a comment after it. */
const settingLine =
  /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?:"[^"]*"|'[^']*'|`[^`]*`|[^"'`#\s](?:[^#\n]*[^#\s])?)?\s*(?:\s#.*)?$/;

/** Pure: the caller has read the file. */
export function readSecretsFile(file: SecretsFile): ReadSecretsFile {
  const contents = file.contents.replace(/^\uFEFF/, "");
  const problems = [...checkMode(file), ...checkLines(file.name, contents)];
  return { values: parse(contents), problems };
}

function checkMode({ name, mode }: SecretsFile): readonly ConfigurationProblem[] {
  if (mode === undefined || (mode & othersMask) === 0) return [];
  return [
    {
      variable: name,
      expected: "a file that only its owner can read (mode 600)",
      received: `mode ${(mode & 0o777).toString(8).padStart(3, "0")}`,
      hint: `Run: chmod 600 ${name}`,
    },
  ];
}

function checkLines(name: string, contents: string): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, line] of contents.split(/\r\n|\r|\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const variable = `${name}, line ${index + 1}`;
    const setting = settingLine.exec(line)?.[1];
    if (setting === undefined) {
      problems.push({
        variable,
        expected: "NAME=value, a comment or nothing",
        received: "a line that cannot be read",
        hint: 'Put a value with spaces, quotes or # into quotes: NAME="value".',
      });
      continue;
    }
    const earlier = lineOf.get(setting);
    if (earlier !== undefined) {
      problems.push({
        variable,
        expected: "each variable once",
        received: `${setting} again, after line ${earlier}`,
        hint: "Remove one of the two lines.",
      });
    }
    lineOf.set(setting, index + 1);
  }
  return problems;
}
