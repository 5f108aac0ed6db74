/**
 * The paths of a line through values between 0 and `max`, in a box of the given size: one for each run without gaps (null). A lone value is
 * a short dash, so that it is seen at all. Coordinates have one decimal.
 */
export function sparkPaths(values: readonly (number | null)[], box: { width: number; height: number; max: number }): string[] {
  const step = values.length > 1 ? box.width / (values.length - 1) : box.width;
  const y = (value: number): string => round(box.height - (Math.min(Math.max(value, 0), box.max) / box.max) * box.height);
  const paths: string[] = [];
  let path = "";
  let length = 0;
  const close = (x: number, last: number): void => {
    if (path !== "") paths.push(length === 1 ? `${path}L${round(Math.min(x + 1.5, box.width))} ${y(last)}` : path);
    path = "";
    length = 0;
  };
  for (const [index, value] of values.entries()) {
    const before = values[index - 1] ?? 0;
    if (value === null) close((index - 1) * step, before);
    else {
      path += `${path === "" ? "M" : "L"}${round(index * step)} ${y(value)}`;
      length += 1;
    }
  }
  close((values.length - 1) * step, values.at(-1) ?? 0);
  return paths;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
