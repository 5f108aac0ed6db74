import { FlotillaError } from "@flotilla/core";

export type ResolvedUser = { uid: number; gid: number; additionalGids: number[]; home: string };

type PasswdEntry = { name: string; uid: number; gid: number; home: string };
type GroupEntry = { name: string; gid: number; members: string[] };

const MAX_ID = 2 ** 31 - 1;

/**
 * Who a container runs as: `user`, `user:group`, names or numbers, looked up in the texts of the image's own
 * /etc/passwd and /etc/group ("" when it has none). A number without an entry is taken as it is, with group 0. Named
 * groups of the user are joined only when no group was given (runc's rule). `groupAdd` is `--group-add`. The primary group
 * is among the additional ones too: else a program that changes its group loses what a negative group permission denies it
 * (CVE-2022-36109).
 * @throws invalid `unable to find user x: no matching entries in passwd file`.
 */
export function resolveUser(request: { user: string; groupAdd: readonly string[]; passwd: string; group: string }): ResolvedUser {
  const [userPart = "", groupPart] = request.user.split(":");
  const users = parsePasswd(request.passwd);
  const groups = parseGroup(request.group);
  const wanted = userPart === "" ? "0" : userPart;
  const entry =
    users.find((candidate) => candidate.name === wanted) ?? users.find((candidate) => isId(wanted) && candidate.uid === Number(wanted));
  if (entry === undefined && !isId(wanted)) {
    throw new FlotillaError("invalid", `unable to find user ${wanted}: no matching entries in passwd file`);
  }
  const uid = entry?.uid ?? Number(wanted);
  const hasGroup = groupPart !== undefined && groupPart !== "";
  const gid = hasGroup ? resolveGroup(groupPart, groups) : (entry?.gid ?? 0);
  const joined =
    hasGroup || entry === undefined ? [] : groups.filter((group) => group.members.includes(entry.name)).map((group) => group.gid);
  const added = request.groupAdd.map((name) => resolveGroup(name, groups));
  return { uid, gid, additionalGids: [...new Set([gid, ...joined, ...added])], home: homeOf(entry, uid) };
}

function homeOf(entry: PasswdEntry | undefined, uid: number): string {
  if (entry !== undefined && entry.home !== "") return entry.home;
  return uid === 0 && entry === undefined ? "/root" : "/";
}

function resolveGroup(name: string, groups: readonly GroupEntry[]): number {
  const entry = groups.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry.gid;
  if (isId(name)) return Number(name);
  throw new FlotillaError("invalid", `unable to find group ${name}: no matching entries in group file`);
}

const isId = (text: string): boolean => /^\d{1,10}$/.test(text) && Number(text) <= MAX_ID;

function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
    return name !== "" && isId(uid) && isId(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [];
  });
}

function parseGroup(text: string): GroupEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , gid = "", members = ""] = line.split(":");
    return name !== "" && isId(gid) ? [{ name, gid: Number(gid), members: members.trim().split(",") }] : [];
  });
}
