import { FlotillaError } from "@flotilla/core";
import type { RunConfig } from "./image-config.ts";
import { joinPath, parsePorts, type CommandForm, type Pair } from "./instruction-arguments.ts";

/** One instruction that changes an image's configuration, with everything expanded. */
export type ConfigChange =
  | { kind: "cmd"; command: CommandForm }
  | { kind: "entrypoint"; command: CommandForm }
  | { kind: "env"; pairs: readonly Pair[] }
  | { kind: "expose"; ports: readonly string[] }
  | { kind: "healthcheck"; healthcheck: NonNullable<RunConfig["Healthcheck"]> }
  | { kind: "label"; pairs: readonly Pair[] }
  | { kind: "onbuild"; trigger: string }
  | { kind: "shell"; argv: readonly string[] }
  | { kind: "stopsignal"; signal: string }
  | { kind: "user"; user: string }
  | { kind: "volume"; paths: readonly string[] }
  | { kind: "workdir"; path: string };

/** A configuration that is being changed. `isCmdSet`: a CMD was given in these changes, not by the base. */
export type ConfigState = { config: RunConfig; isCmdSet: boolean };

const DEFAULT_SHELL = ["/bin/sh", "-c"];

/** The state after a change; the one given is not touched. @throws FlotillaError `invalid`. */
export function applyConfigChange(state: ConfigState, change: ConfigChange): ConfigState {
  const { config } = state;
  const changed = (part: RunConfig): ConfigState => ({ ...state, config: { ...config, ...part } });
  switch (change.kind) {
    case "cmd":
      return { config: { ...config, Cmd: argvOf(config, change.command) }, isCmdSet: true };
    case "entrypoint":
      // The image's own CMD was meant for its own ENTRYPOINT.
      return changed({ Entrypoint: argvOf(config, change.command), ...(state.isCmdSet ? {} : { Cmd: null }) });
    case "env":
      return changed({ Env: mergeEnv(config.Env ?? [], change.pairs) });
    case "expose":
      return changed({ ExposedPorts: { ...config.ExposedPorts, ...emptyObjects(change.ports.flatMap(parsePorts)) } });
    case "healthcheck":
      return changed({ Healthcheck: change.healthcheck });
    case "label":
      return changed({ Labels: { ...config.Labels, ...Object.fromEntries(change.pairs.map(({ name, value }) => [name, value])) } });
    case "onbuild":
      return changed({ OnBuild: [...(config.OnBuild ?? []), change.trigger] });
    case "shell":
      return changed({ Shell: [...change.argv] });
    case "stopsignal":
      return changed({ StopSignal: change.signal });
    case "user":
      return changed({ User: change.user });
    case "volume":
      return changed({ Volumes: { ...config.Volumes, ...emptyObjects(change.paths.map(volumePath)) } });
    case "workdir":
      return changed({ WorkingDir: joinPath(config.WorkingDir ?? "/", change.path) });
  }
}

/** The command line of a form: a shell form is given to the image's shell. */
export function argvOf(config: RunConfig, command: CommandForm): string[] {
  if (command.kind === "exec") return command.argv;
  const shell = config.Shell ?? [];
  return [...(shell.length > 0 ? shell : DEFAULT_SHELL), command.line];
}

/** A variable that is set again keeps its place, as in Docker. */
function mergeEnv(env: readonly string[], pairs: readonly Pair[]): string[] {
  const merged = new Map(env.map((item) => [item.split("=", 1)[0] ?? "", item]));
  for (const { name, value } of pairs) merged.set(name, `${name}=${value}`);
  return [...merged.values()];
}

function emptyObjects(keys: readonly string[]): Record<string, Record<string, never>> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

function volumePath(path: string): string {
  if (path.trim() === "") throw new FlotillaError("invalid", "VOLUME specified can not be an empty string");
  return path.trim();
}
