/** A family of Prometheus samples (text format 0.0.4). */
export type Family = {
  name: string;
  help: string;
  type: "gauge" | "counter";
  samples: { labels: Readonly<Record<string, string>>; value: number }[];
};

const MAX_LABEL = 200;

/** A family with one sample for each item; an item without a value has none. */
export function family<Item>(
  head: Omit<Family, "samples">,
  items: readonly Item[],
  read: (item: Item) => { labels: Record<string, string>; value: number | null | undefined },
): Family {
  const samples = items.map(read).flatMap(({ labels, value }) => (value === null || value === undefined ? [] : [{ labels, value }]));
  return { ...head, samples };
}

/** Families as text. Names are whatever people chose: what would end a label is escaped, and a long one is cut. */
export function formatFamilies(families: readonly Family[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(({ labels, value }) => `${name}${formatLabels(labels)} ${value}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value
    .slice(0, MAX_LABEL)
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll(/\r?\n|\r/g, "\\n");
}
