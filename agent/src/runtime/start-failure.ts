import { FlotillaError } from "@flotilla/core";

export type StartFailure = { exitCode: 126 | 127 | 128; error: FlotillaError };

/**
 * Words a runtime's refusal as Docker does. `docker run` takes its own exit code from these words: "executable file
 * not found" and "no such file or directory" become 127, "permission denied" and "is a directory" 126, the rest 125;
 * the container's exit code follows the same rule with 128 for the rest (moby daemon/start.go).
 */
export function describeStartFailure(reason: string, program: string): StartFailure {
  const text = unwrap(reason);
  const cause = describeCause(text, program);
  const message = `failed to create task for container: OCI runtime create failed: unable to start container process: ${cause.text}: unknown`;
  return { exitCode: cause.exitCode, error: new FlotillaError(cause.exitCode === 128 ? "internal" : "invalid", message) };
}

/** The same for a program started in a running container. The message is what `docker exec` prints into its output. */
export function describeExecFailure(reason: string, program: string): { exitCode: 126 | 127; message: string } {
  const cause = describeCause(unwrap(reason), program);
  const message = `OCI runtime exec failed: exec failed: unable to start container process: ${cause.text}: unknown`;
  return { exitCode: cause.exitCode === 127 ? 127 : 126, message };
}

/** runc logs `time="…" level=error msg="runc create failed: …"`; crun prints the sentence, conmon may put lines in front. */
function unwrap(reason: string): string {
  const line = reason.trim().split("\n").at(-1) ?? "";
  const quoted = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  const text = quoted === undefined ? line : quoted.replaceAll(/\\(.)/g, "$1");
  return text.replace(/^(runc create|exec) failed: /, "").replace(/^unable to start container process: /, "");
}

function describeCause(text: string, program: string): { exitCode: 126 | 127 | 128; text: string } {
  const name = JSON.stringify(program);
  if (/executable file .*not found/i.test(text)) {
    const isPath = program.includes("/");
    const detail = isPath ? `stat ${program}: no such file or directory` : "executable file not found in $PATH";
    return { exitCode: 127, text: `exec: ${name}: ${detail}` };
  }
  if (/open executable: (permission denied|operation not permitted)/i.test(text)) {
    return { exitCode: 126, text: `exec: ${name}: permission denied` };
  }
  if (/no such file or directory/i.test(text)) return { exitCode: 127, text: lowerErrno(text) };
  if (/permission denied|is a directory/i.test(text)) return { exitCode: 126, text: lowerErrno(text) };
  return { exitCode: 128, text: text === "" ? "the runtime gave no reason" : text };
}

/** glibc writes "No such file or directory", Go (whose words clients look for) writes it in lower case. */
function lowerErrno(text: string): string {
  return text.replaceAll(/No such file or directory|Permission denied|Is a directory/g, (words) => words.toLowerCase());
}
