// Secrets and configs of replicas as files: a tmpfs for each replica, so that nothing of them is ever written to a disk by us but the stored
// desired state (mode 0600). They are mounted into the container one by one; what inspect shows is where they are, not what they say.
import { createHash } from "node:crypto";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FlotillaError } from "@flotilla/core";
import type { ReplicaFile, ReplicaState } from "@flotilla/protocol";
import { mount, MS, unmount } from "../host/libc.ts";
import { mountsBelow } from "../host/mounts.ts";

/** Pages are counted against nobody's limit but this one. */
const TMPFS_OPTIONS = "mode=0700,size=64m,nr_inodes=1024";

export class ReplicaFiles {
  readonly #directory: string;

  /** @param directory of all replicas, below the run directory. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Where a file is on the host. */
  pathOf(replicaId: string, { target }: ReplicaFile): string {
    return join(this.#directory, replicaId, createHash("sha256").update(target).digest("hex").slice(0, 24));
  }

  /**
   * Makes the files of a replica what they shall be. Idempotent: files that are there are kept, since a container may have them mounted.
   * @throws not_found when the content of one has not arrived yet.
   */
  prepare({ id, files }: ReplicaState, contentOf: (file: string) => Buffer | undefined): void {
    if (files.length === 0) return;
    const directory = join(this.#directory, id);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!mountsBelow(directory).includes(directory)) {
      mount({ source: "tmpfs", target: directory, type: "tmpfs", flags: MS.NOSUID | MS.NODEV | MS.NOEXEC, data: TMPFS_OPTIONS });
    }
    for (const file of files) {
      const path = this.pathOf(id, file);
      if (existsSync(path)) continue;
      const content = contentOf(file.file);
      if (content === undefined) throw new FlotillaError("not_found", `the content of ${file.kind} ${file.target} is not there yet`);
      const temporary = `${path}.new`;
      writeFileSync(temporary, content, { mode: 0o600 });
      chownSync(temporary, file.uid, file.gid);
      chmodSync(temporary, file.mode);
      renameSync(temporary, path);
    }
  }

  /** Takes the files of a replica away. Idempotent. */
  remove(replicaId: string): void {
    const directory = join(this.#directory, replicaId);
    unmount(directory);
    rmSync(directory, { recursive: true, force: true });
  }

  /** Replicas that have a directory. */
  ids(): string[] {
    return existsSync(this.#directory) ? readdirSync(this.#directory) : [];
  }
}
