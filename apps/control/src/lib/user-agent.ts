const BROWSERS = [
  ["Edg/", "Edge"],
  ["OPR/", "Opera"],
  ["Firefox/", "Firefox"],
  ["Chrome/", "Chrome"],
  ["Safari/", "Safari"],
] as const;
const SYSTEMS = [
  ["Android", "Android"],
  ["iPhone", "iOS"],
  ["iPad", "iPadOS"],
  ["Windows", "Windows"],
  ["Mac OS X", "macOS"],
  ["Linux", "Linux"],
] as const;

/** A browser as people name it, such as `Firefox, Linux`; what is no browser by the first word that it says of itself. */
export function describeUserAgent(text: string | null): string | undefined {
  if (text === null || text === "") return undefined;
  const browser = BROWSERS.find(([mark]) => text.includes(mark))?.[1];
  const system = SYSTEMS.find(([mark]) => text.includes(mark))?.[1];
  if (browser === undefined) return text.split(/[\s/(]/, 1)[0]?.slice(0, 40);
  return system === undefined ? browser : `${browser}, ${system}`;
}
