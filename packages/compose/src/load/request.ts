import type { NoteTarget } from "../decode/reader.ts";
import type { ComposeIssue } from "../issue.ts";
import type { Project, Service } from "../model.ts";

/** Where files come from: the disk for the command, the editor's text for the control plane. */
export type FileReader = {
  /** The text of a file by its absolute path; undefined when there is none. */
  read(path: string): Promise<string | undefined>;
};

export type LoadRequest = {
  /** Absolute. Where files are looked for when none are named. */
  workingDir: string;
  /**
   * Compose files, absolute or relative to `workingDir`, later ones merged over earlier; empty: COMPOSE_FILE, else `compose.yaml` and
   * its like, there or in a directory above.
   */
  files: readonly string[];
  /** Where relative paths begin, instead of the first file's directory. */
  projectDirectory?: string | undefined;
  projectName?: string | undefined;
  /** Variables of the shell; they win over `.env`. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Files of variables instead of `.env`; must exist. */
  envFiles?: readonly string[] | undefined;
  profiles?: readonly string[] | undefined;
  /** Services named on the command line: their profiles are active. */
  services?: readonly string[] | undefined;
  /** `host`: warn of what only a scheduler honours. */
  target: NoteTarget;
  /** false: variables stay as they are written (`config --no-interpolate`). */
  interpolate?: boolean | undefined;
};

export type LoadedProject = {
  project: Project;
  /** Services of profiles that are not active: part of the project, but not started. */
  disabledServices: Record<string, Service>;
  warnings: ComposeIssue[];
  /** Absolute paths, for the labels that Compose writes. */
  files: string[];
  projectDirectory: string;
  /** Where a key is written, by its path (`services.web.volumes`), or the nearest key above it. */
  positionOf: (path: string) => ComposeIssue["position"];
};
