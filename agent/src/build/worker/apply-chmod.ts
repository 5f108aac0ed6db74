/** Mode bits after `--chmod`: octal, or symbolic clauses (`u+x,go=rX`) as chmod(1) reads them. @param mode 12 bits. */
export function applyChmod(spec: string, mode: number, isDirectory: boolean): number {
  if (/^[0-7]+$/.test(spec)) return Number.parseInt(spec, 8) & 0o7777;
  let result = mode;
  for (const clause of spec.split(",")) {
    const [, who = "", operation = "", permissions = ""] = /^([ugoa]*)([-+=])([rwxXstugo]*)$/.exec(clause) ?? [];
    const classes = who === "" || who.includes("a") ? ["u", "g", "o"] : who.split("");
    for (const one of classes) result = applyTo(result, { one, operation, bits: bitsOf(permissions, { mode: result, one, isDirectory }) });
  }
  return result;
}

const SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function applyTo(mode: number, change: { one: string; operation: string; bits: number }): number {
  const { one, operation, bits } = change;
  if (operation === "+") return mode | bits;
  if (operation === "-") return mode & ~bits;
  const special = one === "u" ? 0o4000 : one === "g" ? 0o2000 : 0o1000;
  return (mode & ~((7 << (SHIFT[one] ?? 0)) | special)) | bits;
}

function bitsOf(permissions: string, at: { mode: number; one: string; isDirectory: boolean }): number {
  const shift = SHIFT[at.one] ?? 0;
  let bits = 0;
  for (const permission of permissions) {
    if (permission === "r") bits |= 4 << shift;
    else if (permission === "w") bits |= 2 << shift;
    else if (permission === "x" || (permission === "X" && (at.isDirectory || (at.mode & 0o111) !== 0))) bits |= 1 << shift;
    else if (permission === "s") bits |= at.one === "u" ? 0o4000 : at.one === "g" ? 0o2000 : 0;
    else if (permission === "t") bits |= at.one === "o" ? 0o1000 : 0;
    else if (permission in SHIFT) bits |= ((at.mode >> (SHIFT[permission] ?? 0)) & 7) << shift;
  }
  return bits;
}
