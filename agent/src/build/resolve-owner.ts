import { FlotillaError } from "@flotilla/core";
import { resolveUser } from "../engine/resolve-user.ts";
import { readTextInRoot } from "../host/rooted-path.ts";

export type NumericOwner = { uid: number; gid: number };

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * `--chown=user[:group]` by the passwd and group files of a tree. A user alone gives the group of the same name or number,
 * as in Docker, and the user's own when there is none of that name.
 * @throws FlotillaError `invalid` in Docker's words.
 */
export function resolveOwner(root: string, chown: string): NumericOwner {
  const [user = "", group = ""] = chown.split(":");
  const files = {
    groupAdd: [],
    passwd: readTextInRoot(root, "/etc/passwd", MAX_BYTES) ?? "",
    group: readTextInRoot(root, "/etc/group", MAX_BYTES) ?? "",
  };
  const find = (text: string, what: string): NumericOwner => {
    try {
      return resolveUser({ user: text, ...files });
    } catch (error) {
      const message = `unable to convert uid/gid chown string to host mapping: can't find ${what}`;
      throw new FlotillaError("invalid", message, { cause: error });
    }
  };
  const owner = find(user, `uid for user ${user}: no such user: ${user}`);
  if (group !== "") return { uid: owner.uid, gid: find(`0:${group}`, `gid for group ${group}: no such group: ${group}`).gid };
  try {
    return { uid: owner.uid, gid: resolveUser({ user: `0:${user}`, ...files }).gid };
  } catch {
    return { uid: owner.uid, gid: owner.gid };
  }
}
