import { expect, test } from "vitest";
import { describeStartFailure } from "./start-failure.ts";

// Left: what crun 1.8 and runc 1.1 say through conmon; right: what `docker run` must be able to read.
test.each([
  [
    "executable file `nope` not found in $PATH: No such file or directory",
    "nope",
    127,
    'exec: "nope": executable file not found in $PATH: unknown',
  ],
  [
    "executable file `/bin/nope` not found in $PATH: No such file or directory",
    "/bin/nope",
    127,
    'exec: "/bin/nope": stat /bin/nope: no such file or directory: unknown',
  ],
  ["open executable: Permission denied", "/noexec", 126, 'exec: "/noexec": permission denied: unknown'],
  ["open executable: Operation not permitted", "/etc", 126, 'exec: "/etc": permission denied: unknown'],
  [
    'time="2026-11-23T17:36:47Z" level=error msg="runc create failed: unable to start container process: exec: \\"nope\\": executable file not found in $PATH"',
    "nope",
    127,
    'exec: "nope": executable file not found in $PATH: unknown',
  ],
  [
    'time="x" level=error msg="runc create failed: unable to start container process: exec: \\"/etc\\": permission denied"',
    "/etc",
    126,
    'exec: "/etc": permission denied: unknown',
  ],
  ["chdir `/x`: Permission denied", "sh", 126, "chdir `/x`: permission denied: unknown"],
  ["[conmon:w]: something else\nerror writing to cgroup: Device or resource busy", "sh", 128, "Device or resource busy: unknown"],
  ["", "sh", 128, "the runtime gave no reason: unknown"],
])("%j becomes Docker's words", (reason, program, ...[exitCode, words]) => {
  const failure = describeStartFailure(reason, program);
  expect(failure.exitCode).toBe(exitCode);
  expect(failure.error.message).toMatch(
    /^failed to create task for container: OCI runtime create failed: unable to start container process: /,
  );
  expect(failure.error.message.endsWith(words)).toBe(true);
  expect(failure.error.code).toBe(exitCode === 128 ? "internal" : "invalid");
});
