// Paths of the host that the project is for: always POSIX, whatever runs this code.

/** `.` and `..` resolved; no slash at the end. */
export function normalizePath(path: string): string {
  const isAbsolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!isAbsolute) parts.push("..");
  }
  return `${isAbsolute ? "/" : ""}${parts.join("/")}` || ".";
}

/** `path` as seen from `dir`; an absolute one stays. */
export const joinPath = (dir: string, path: string): string => normalizePath(path.startsWith("/") ? path : `${dir}/${path}`);

export function dirName(path: string): string {
  const normal = normalizePath(path);
  const at = normal.lastIndexOf("/");
  return at === -1 ? "." : at === 0 ? "/" : normal.slice(0, at);
}

export const baseName = (path: string): string => normalizePath(path).split("/").at(-1) ?? "";
