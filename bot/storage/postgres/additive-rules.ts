/**
 * Additive rules: what a migration on PostgreSQL may do, because processes of the version before go on
 * beside it.
 *
 * It may make tables, functions and indexes, and add columns that need no value. It may not take away,
 * rename or narrow anything that is there: the version before reads and writes it.
 */

const refusals: readonly (readonly [RegExp, string])[] = [
  [/\bDROP\b/, "DROP takes away what the version before may use"],
  [/\bTRUNCATE\b/, "TRUNCATE takes away what the version before may use"],
  [/\bRENAME\b/, "RENAME takes a name away that the version before uses"],
  [
    /\bOR\s+REPLACE\b/,
    "OR REPLACE changes what the version before calls; make one of another name",
  ],
  [
    /\bALTER\s+(?:COLUMN\s+)?"?\w+"?\s+(?:SET\s+DATA\s+)?TYPE\b/,
    "TYPE changes a column under the version before; add another one",
  ],
  [/\bSET\s+NOT\s+NULL\b/, "SET NOT NULL refuses rows that the version before writes"],
  [
    /\bADD\s+(?:CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE)\b/,
    "a constraint refuses rows that the version before writes",
  ],
];

/**
 * Why a migration may not be made while the version before works; `undefined` when it may.
 *
 * @param sql In PostgreSQL's words. Comments, texts and the bodies of functions do not count.
 */
export function whyNotAdditive(sql: string): string | undefined {
  const code = codeOf(sql).toUpperCase();
  for (const [pattern, why] of refusals) if (pattern.test(code)) return why;
  for (const added of code.split(/\bADD\b/).slice(1)) {
    const [column = ""] = added.split(";");
    if (/\bNOT\s+NULL\b/.test(column) && !/\b(?:DEFAULT|GENERATED)\b/.test(column)) {
      return "a column that is NOT NULL needs a DEFAULT, because the version before gives it no value";
    }
  }
  for (const [, table = ""] of code.matchAll(
    /\bCREATE\s+UNIQUE\s+INDEX\s[^;]*?\bON\s+("?\w+"?)/g,
  )) {
    const made = new RegExp(`\\bCREATE\\s+TABLE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${table}\\b`);
    if (!made.test(code)) return "UNIQUE refuses rows that the version before writes";
  }
  return undefined;
}

/** The statements without comments, texts and bodies of functions. */
function codeOf(sql: string): string {
  return sql
    .replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, "''")
    .replace(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g, (found) =>
      found.startsWith("'") ? "''" : " ",
    );
}
