export type PaletteItem = { id: string; label: string; hint: string; keywords: string };

/**
 * The best `limit` items for what was typed. Every word must occur; a label that begins with the text goes before one where a word
 * begins with it, then before any other place. Cheap enough for some thousand items at each key press.
 */
export function rankItems<Item extends PaletteItem>(items: readonly Item[], query: string, limit: number): Item[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return items.slice(0, limit);
  const scored = items.flatMap((item) => {
    const label = item.label.toLowerCase();
    const rest = `${label} ${item.hint.toLowerCase()} ${item.keywords.toLowerCase()}`;
    if (!words.every((word) => rest.includes(word))) return [];
    return [{ item, score: score(label, words) }];
  });
  return scored
    .sort((a, b) => a.score - b.score || a.item.label.length - b.item.label.length)
    .slice(0, limit)
    .map(({ item }) => item);
}

function score(label: string, words: readonly string[]): number {
  const text = words.join(" ");
  if (label === text) return 0;
  if (label.startsWith(text)) return 1;
  const parts = label.split(/[\s/_.:-]+/);
  if (words.every((word) => parts.some((part) => part.startsWith(word)))) return 2;
  return words.every((word) => label.includes(word)) ? 3 : 4;
}
