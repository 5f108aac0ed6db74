import { readFileSync } from "node:fs";
import { type ProgramUser, runProgram } from "./run-program.ts";

/** Postgres refuses to run as root: as root it gets this account, which owns nothing else. */
const USER = "flotilla-db";

/** The account that Postgres runs as; undefined when we are not root ourselves, and it runs as we do. */
export async function ensureSystemUser(): Promise<ProgramUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const found = findUser();
  if (found !== undefined) return found;
  try {
    await runProgram({
      argv: ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", USER],
    });
  } catch (error) {
    // Two control planes that start together both add it: the loser finds it now.
    const made = findUser();
    if (made === undefined) throw error;
    return made;
  }
  return findUser();
}

function findUser(): ProgramUser | undefined {
  for (const line of readFileSync("/etc/passwd", "utf8").split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name === USER) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}
