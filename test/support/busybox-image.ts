import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/**
 * Makes the root file system of the `busybox` test image as a tar: every applet, users root and nobody, and two files
 * in /etc for tests to remove and change.
 * @param dir directory for the tree and the tar. @returns path of the tar.
 */
export async function makeBusyboxTar(dir: string): Promise<string> {
  const root = join(dir, "busybox-root");
  for (const path of ["bin", "dev", "etc", "proc", "sys", "tmp", "root", "mnt", "var"]) mkdirSync(join(root, path), { recursive: true });
  copyFileSync("/bin/busybox", join(root, "bin", "busybox"));
  chmodSync(join(root, "bin", "busybox"), 0o755);
  const { stdout } = await execute("/bin/busybox", ["--list"]);
  for (const applet of stdout.split("\n")) if (applet !== "" && applet !== "busybox") symlinkSync("busybox", join(root, "bin", applet));
  chmodSync(join(root, "tmp"), 0o1777);
  writeFileSync(join(root, "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n");
  writeFileSync(join(root, "etc", "group"), "root:x:0:\nnogroup:x:65534:\nextra:x:4242:nobody\n");
  writeFileSync(join(root, "etc", "remove-me"), "remove me\n");
  writeFileSync(join(root, "etc", "change-me"), "change me\n");
  const tar = join(dir, "busybox.tar");
  await execute("tar", ["--numeric-owner", "--owner=0", "--group=0", "--sort=name", "-C", root, "-cf", tar, "."]);
  return tar;
}
