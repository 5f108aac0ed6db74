import type { CommandForm, Pair, RunConfig } from "@flotilla/image";
import type { Heredoc } from "./heredoc.ts";
import type { Location } from "./location.ts";
import type { RunMount } from "./run-mount.ts";

/** An instruction as written: nothing in it is expanded, and quotes are still there where they will be read later. */
export type Instruction = { location: Location; original: string } & InstructionBody;

export type InstructionBody =
  | ArgBody
  | CopyBody
  | RunBody
  | { kind: "cmd"; command: CommandForm }
  | { kind: "entrypoint"; command: CommandForm }
  | { kind: "env"; pairs: Pair[] }
  | { kind: "expose"; ports: string[] }
  | { kind: "healthcheck"; healthcheck: NonNullable<RunConfig["Healthcheck"]> }
  | { kind: "label"; pairs: Pair[] }
  | { kind: "maintainer"; author: string }
  | { kind: "onbuild"; trigger: string }
  | { kind: "shell"; argv: string[] }
  | { kind: "stopsignal"; signal: string }
  | { kind: "user"; user: string }
  | { kind: "volume"; paths: string[] }
  | { kind: "workdir"; path: string };

export type ArgDeclaration = { name: string; defaultValue: string | undefined };
export type ArgBody = { kind: "arg"; args: ArgDeclaration[] };

export type RunBody = {
  kind: "run";
  command: CommandForm;
  heredocs: Heredoc[];
  mounts: RunMount[];
  network: "default" | "none" | "host";
  security: "sandbox" | "insecure";
};

/** COPY and ADD. Fields that only one of them has are undefined or false in the other. */
export type CopyBody = {
  kind: "copy" | "add";
  /** Paths or patterns in the context or in `from`; ADD takes URLs too. */
  sources: string[];
  /** Files whose content stands in the Dockerfile, in the order of their words among the arguments. */
  files: Heredoc[];
  destination: string;
  /** `--from`: a stage by name or index, or an image. COPY only. */
  from: string | undefined;
  chown: string | undefined;
  chmod: string | undefined;
  isLink: boolean;
  exclude: string[];
  /** `--parents`, COPY only. */
  keepsParents: boolean;
  /** `--checksum`, ADD only. */
  checksum: string | undefined;
  /** `--keep-git-dir`, ADD only. */
  keepsGitDir: boolean;
  /** `--unpack`, ADD only: undefined leaves it to the kind of source (local archives are unpacked, URLs are not). */
  unpack: boolean | undefined;
};

/** `FROM`, as written. */
export type FromClause = {
  base: string;
  /** In lower case. */
  name: string | undefined;
  platform: string | undefined;
  location: Location;
  original: string;
};

export type Stage = { index: number; from: FromClause; instructions: Instruction[] };
