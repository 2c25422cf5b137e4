/** Text table: lines of cells under each other, the first column to the left, the others to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0;
          return column === 0 ? cell.padEnd(width) : cell.padStart(width + 2);
        })
        .join("")
        .trimEnd(),
    )
    .join("\n");
}

/** A number with so many digits after the point; a dash when it is not known. */
export function figure(value: number, digits = 0, unit = ""): string {
  if (value === Number.POSITIVE_INFINITY) return "never";
  return Number.isFinite(value) ? `${value.toFixed(digits)}${unit}` : "-";
}
