/** As Docker Compose gives them to services in turn. */
const CODES = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** The colour of the n-th service of a log. */
export function colourOf(index: number): (text: string) => string {
  const code = CODES[index % CODES.length] ?? 36;
  return (text) => `\u001B[${code}m${text}\u001B[0m`;
}
