import type { Outcome } from "./run-case.ts";

/** Where our engine answers otherwise than dockerd 20.10, and why. The answer is compared too: it does not drift. */
export type KnownDifference = {
  /** Name of the case. */
  peerCase: string;
  /** Position of the step in its case, from 0. */
  step: number;
  reason: string;
  ours: Outcome;
};

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    peerCase: "the second build takes all from the cache",
    step: 2,
    reason: "the history is worded as BuildKit words it, which Docker has built with since version 23",
    ours: { exitCode: 0, output: ["RUN /bin/sh -c cat f", "COPY f /w/", "WORKDIR /w", "ENV PEER=cache"] },
  },
  {
    peerCase: "exec and its exit codes",
    step: 3,
    reason: "newer Docker answers 127 as for `docker run`; 20.10 gave every failed exec 126",
    ours: { exitCode: 127, output: ["executable file not found"] },
  },
  {
    peerCase: "the list of mounts in /etc",
    step: 0,
    reason: "dockerd puts the link /etc/mtab into every container; here it is the image's affair",
    ours: { exitCode: 1, output: [] },
  },
  {
    peerCase: "devices",
    step: 0,
    reason: "crun makes /dev/core, a link to the masked /proc/kcore",
    ours: {
      exitCode: 0,
      output: "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero".split(" "),
    },
  },
  {
    peerCase: "commit and its changes",
    step: 2,
    reason: "variables given by --change come before the container's own; no variable is there twice",
    ours: { exitCode: 0, output: ['["B=2","A=1"] ["ls","/f"] /tmp me words'] },
  },
];

/** What docker commands before version 23 say themselves, of either engine: found with Debian's 20.10. */
export const OLDER_COMMAND: readonly Omit<KnownDifference, "reason">[] = [
  { peerCase: "cp into a container", step: 8, ours: { exitCode: 1, output: ["no such"] } },
  { peerCase: "cp out of a container", step: 4, ours: { exitCode: 1, output: ["no such"] } },
];

/** Lines of a build's output that either engine may have alone. */
export const UNCOMPARED_LINES: readonly { line: RegExp; reason: string }[] = [
  {
    line: /^ ---> Running in ID$|^Removing intermediate container ID$/,
    reason: "only RUN needs a container here, and a failed one is removed",
  },
  { line: /^\[Warning\] [A-Z][A-Za-z]+: /, reason: "the checks that newer Dockerfile front ends make" },
  { line: /^Note: overriding previous HEALTHCHECK: /, reason: "those checks say it as a warning" },
];
