/** Words of what was typed into a filter, in lower case. */
export function filterWords(query: string): string[] {
  return query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
}

/** The rows whose text has every word of the query, in whatever order and case. All of them for an empty query. */
export function filterRows<Row>(rows: readonly Row[], query: string, textOf: (row: Row) => string): readonly Row[] {
  const words = filterWords(query);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
