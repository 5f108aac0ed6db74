/**
 * One `docker` command. In its words and its input `{dir}` stands for the directory with the case's files, `{image}`, `{box}` and
 * `{volume}` for names that belong to the case alone; the image `busybox` is always there.
 */
export type PeerStep = {
  argv: readonly string[];
  /** Given to the command's standard input. */
  input?: string;
  /** What of stderr and stdout together is recorded: those of these words that occur. Otherwise stdout is recorded whole. */
  words?: readonly string[];
  /** The lines of stdout come in no order that means something: they are sorted. */
  isUnordered?: boolean;
};

export type PeerCase = {
  name: string;
  /** Written into `{dir}`, by name. */
  files?: Readonly<Record<string, string>>;
  steps: readonly PeerStep[];
};

/** A command of which the exit code and the whole standard output are recorded. */
export function step(...argv: string[]): PeerStep {
  return { argv };
}

/** A command of which the exit code and some words of its output are recorded. */
export function says(words: readonly string[], ...argv: string[]): PeerStep {
  return { argv, words };
}

/** A command that prepares something: only its exit code is recorded. */
export function quiet(...argv: string[]): PeerStep {
  return { argv, words: [] };
}

/** A case that builds `{image}` from a Dockerfile and then looks at it. Docker's lines of the build are recorded too. */
export function buildCase(
  name: string,
  options: { dockerfile: string; files?: Readonly<Record<string, string>>; args?: readonly string[]; look?: readonly PeerStep[] },
): PeerCase {
  const build = step("build", "--no-cache", "-t", "{image}", ...(options.args ?? []), "{dir}");
  return { name, files: { Dockerfile: options.dockerfile, ...options.files }, steps: [build, ...(options.look ?? [])] };
}

/** Fields of the built image's configuration. */
export function config(...fields: string[]): PeerStep {
  const format = fields.map((field) => `${field}={{json .Config.${field}}}`).join(" ");
  return step("image", "inspect", "--format", format, "{image}");
}

/** What a shell in the built image says. */
export function inside(script: string): PeerStep {
  return step("run", "--rm", "--entrypoint", "sh", "{image}", "-c", script);
}

/** Files below a path of the built image: type and mode, owner, size of files, name, target of links. */
export function tree(path: string): PeerStep {
  return inside(listing(path));
}

/** The script behind `tree`, for containers that are there already. */
export function listing(path: string): string {
  return `find ${path} | sort | while read -r f; do stat -c '%A %u:%g %N' "$f"; [ -f "$f" ] && wc -c < "$f"; done; true`;
}
