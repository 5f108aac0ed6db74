const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export type Visit = { host: string; path: string; count: number };

/** The page of one visit, as HTML. */
export function renderPage(visit: Visit): string {
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><title>Visits</title></head><body>',
    `<h1>Visit ${visit.count} to ${escapeHtml(visit.path)}</h1>`,
    `<p>Answered by ${escapeHtml(visit.host)}</p>`,
    "</body></html>\n",
  ].join("\n");
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
