import { FlotillaError } from "@flotilla/core";
import { argvOf, expandWord, joinPath, variablesOf, type ExpandOptions, type RunConfig, type Variables } from "@flotilla/image";
import { PREDEFINED_ARGS, type BuildArgs } from "./build-args.ts";
import { heredocText, parseHeredocWord } from "./heredoc.ts";
import type { RunBody } from "./instruction.ts";
import type { RunMount } from "./run-mount.ts";
import type { RunStep, Step } from "./step.ts";

export type RunScope = {
  state: { config: RunConfig; args: ReadonlyMap<string, string | undefined> };
  context: { buildArgs: BuildArgs };
  variables: Variables;
  options: ExpandOptions;
};

/** Where here-documents with an interpreter line are put, as BuildKit puts them. */
const SCRIPT_DIRECTORY = "/dev/pipes";

/** The process that a RUN starts. @throws FlotillaError `invalid`. */
export function evaluateRun(run: RunBody, scope: RunScope): Step {
  const { config } = scope.state;
  const { argv, scripts } = commandLine(run, config);
  const args = argsInEffect(scope);
  const workingDir = config.WorkingDir ?? "/";
  const step: RunStep = {
    kind: "run",
    argv,
    scripts,
    env: [...args, ...(config.Env ?? [])],
    proxyEnv: proxyEnv(scope),
    user: config.User ?? "",
    workingDir: workingDir === "" ? "/" : workingDir,
    mounts: run.mounts.map((mount) => expandMount(mount, scope)),
    network: run.network,
    security: run.security,
  };
  const prefix = args.length === 0 ? "" : `|${args.length} ${args.join(" ")} `;
  return { ...step, createdBy: `RUN ${prefix}${argv.join(" ")}` };
}

/** Arguments with a value that the environment does not hide, by name. */
function argsInEffect({ state }: RunScope): string[] {
  const env = variablesOf(state.config);
  const args = [...state.args].filter(([name, value]) => value !== undefined && !env.has(name));
  return args.map(([name, value]) => `${name}=${value ?? ""}`).sort();
}

function proxyEnv({ state, context }: RunScope): string[] {
  const env = variablesOf(state.config);
  const given = [...context.buildArgs].filter(([name, value]) => PREDEFINED_ARGS.has(name) && value !== null);
  return given.filter(([name]) => !env.has(name) && !state.args.has(name)).map(([name, value]) => `${name}=${value ?? ""}`);
}

/**
 * A RUN whose only word is a here-document runs the document: in the shell, or by its own interpreter when it begins
 * with `#!`. Otherwise the documents follow the line and the shell reads them.
 */
function commandLine(run: RunBody, config: RunConfig): Pick<RunStep, "argv" | "scripts"> {
  const { command, heredocs } = run;
  const [first] = heredocs;
  if (first === undefined) return { argv: argvOf(config, command), scripts: [] };
  if (command.kind !== "shell") throw new FlotillaError("invalid", "parsing produced an invalid run command");
  if (parseHeredocWord(command.line) === undefined) {
    const line = command.line + heredocs.map(({ content, name }) => `\n${content}${name}`).join("");
    return { argv: argvOf(config, { kind: "shell", line }), scripts: [] };
  }
  const content = heredocText(first);
  if (!content.startsWith("#!")) return { argv: argvOf(config, { kind: "shell", line: content }), scripts: [] };
  if (first.name.includes("/") || first.name === "." || first.name === "..") {
    throw new FlotillaError("invalid", `heredoc name ${JSON.stringify(first.name)} cannot be a file's name`);
  }
  const path = `${SCRIPT_DIRECTORY}/${first.name}`;
  return { argv: [path], scripts: [{ path, content }] };
}

function expandMount(mount: RunMount, { state, variables, options }: RunScope): RunMount {
  const expand = (text: string): string => expandWord(text, variables, options);
  const inWorkdir = (path: string): string => joinPath(state.config.WorkingDir ?? "/", expand(path));
  switch (mount.type) {
    case "bind":
      return { ...mount, source: expand(mount.source), target: mountTarget(inWorkdir(mount.target)) };
    case "cache": {
      const target = mountTarget(inWorkdir(mount.target));
      // Without an id of its own the cache is named by its path.
      const id = mount.id === mount.target ? target : expand(mount.id);
      return { ...mount, id, source: expand(mount.source), target };
    }
    case "tmpfs":
      return { ...mount, target: mountTarget(inWorkdir(mount.target)) };
    case "secret":
      return { ...mount, id: expand(mount.id), ...(mount.target === undefined ? {} : { target: inWorkdir(mount.target) }) };
    case "ssh":
      return { ...mount, id: expand(mount.id), ...(mount.target === undefined ? {} : { target: inWorkdir(mount.target) }) };
  }
}

function mountTarget(path: string): string {
  if (path === "/") throw new FlotillaError("invalid", `invalid mount target "/"`);
  return path;
}
