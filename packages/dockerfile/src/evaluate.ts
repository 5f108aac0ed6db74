// Instruction by instruction: variables are put in, the configuration follows, and what is left to do becomes a step.
import { FlotillaError, suggest } from "@flotilla/core";
import {
  applyConfigChange,
  expandWord,
  expandWords,
  variablesOf,
  type ConfigChange,
  type ExpandOptions,
  type Pair,
  type RunConfig,
  type Variables,
} from "@flotilla/image";
import type { BuildArgs } from "./build-args.ts";
import { evaluateCopy } from "./evaluate-copy.ts";
import { evaluateRun } from "./evaluate-run.ts";
import type { ArgBody, Instruction } from "./instruction.ts";
import { withPosition } from "./location.ts";
import { parseTrigger } from "./parse-dockerfile.ts";
import type { Step } from "./step.ts";
import type { Warning } from "./warning.ts";

/** A stage between two instructions. */
export type StageState = {
  config: RunConfig;
  /** A CMD was given in this stage. */
  isCmdSet: boolean;
  author: string | undefined;
  /** Arguments declared so far; undefined has no value. */
  args: ReadonlyMap<string, string | undefined>;
};

export type EvaluateContext = {
  buildArgs: BuildArgs;
  /** Of the build graph. */
  globalArgs: ReadonlyMap<string, string>;
  escape: string;
};

export type Evaluation = { step: Step; state: StageState; warnings: Warning[] };

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The beginning of a stage on a base: its state and the base's ONBUILD triggers, which are run before the stage's own
 * instructions and are not handed on.
 * @param base the configuration of the base; of another stage, its last state with its arguments.
 */
export function enterStage(base: Pick<StageState, "config"> & Partial<StageState>): { state: StageState; triggers: Instruction[] } {
  const { OnBuild: onBuild, ...config } = base.config;
  const triggers = (onBuild ?? []).map(parseTrigger);
  const env = config.Env ?? [];
  const hasPath = env.some((item) => item.startsWith("PATH="));
  const state = {
    config: hasPath ? config : { ...config, Env: [...env, `PATH=${DEFAULT_PATH}`] },
    isCmdSet: false,
    author: base.author,
    args: base.args ?? new Map(),
  };
  return { state, triggers };
}

/** @throws FlotillaError `invalid` with the instruction's line. */
export function evaluate(instruction: Instruction, state: StageState, context: EvaluateContext): Evaluation {
  const warnings: Warning[] = [];
  const variables = scopeOf(state);
  const options = optionsOf(instruction, { variables, escape: context.escape, warnings });
  return withPosition(instruction.location, () => ({ ...dispatch(instruction, state, { context, variables, options }), warnings }));
}

/** Variables in scope: the environment wins over arguments, whichever came first. */
export function scopeOf(state: StageState): Variables {
  const scope = new Map<string, string>();
  for (const [name, value] of state.args) if (value !== undefined) scope.set(name, value);
  for (const [name, value] of variablesOf(state.config)) scope.set(name, value);
  return scope;
}

type Scope = { context: EvaluateContext; variables: Variables; options: ExpandOptions };

function dispatch(instruction: Instruction, state: StageState, scope: Scope): Omit<Evaluation, "warnings"> {
  switch (instruction.kind) {
    case "arg": {
      const { args, createdBy } = declareArgs(instruction, state, scope);
      return { step: { kind: "config", createdBy }, state: { ...state, args } };
    }
    case "maintainer":
      return { step: { kind: "config", createdBy: `MAINTAINER ${instruction.author}` }, state: { ...state, author: instruction.author } };
    case "run":
      return { step: evaluateRun(instruction, { state, ...scope }), state };
    case "add":
    case "copy":
      return { step: evaluateCopy(instruction, { workingDir: state.config.WorkingDir ?? "/", ...scope }), state };
    case "cmd":
    case "entrypoint":
    case "env":
    case "expose":
    case "healthcheck":
    case "label":
    case "onbuild":
    case "shell":
    case "stopsignal":
    case "user":
    case "volume":
    case "workdir": {
      const change = expandChange(instruction, scope);
      const next = { ...state, ...applyConfigChange(state, change) };
      const createdBy = describe(instruction, change);
      const path = next.config.WorkingDir ?? "/";
      return { step: change.kind === "workdir" ? { kind: "workdir", path, createdBy } : { kind: "config", createdBy }, state: next };
    }
  }
}

type ChangeInstruction = Extract<Instruction, { kind: ConfigChange["kind"] }>;

function expandChange(instruction: ChangeInstruction, { variables, options }: Scope): ConfigChange {
  const expand = (text: string): string => expandWord(text, variables, options);
  switch (instruction.kind) {
    case "env":
    case "label":
      return { kind: instruction.kind, pairs: instruction.pairs.map((pair) => expandPair(instruction.kind, pair, expand)) };
    case "expose":
      return { kind: "expose", ports: instruction.ports.flatMap((port) => expandWords(port, variables, options)) };
    case "stopsignal":
      return { kind: "stopsignal", signal: expand(instruction.signal) };
    case "user":
      return { kind: "user", user: expand(instruction.user) };
    case "volume":
      return { kind: "volume", paths: instruction.paths.map(expand) };
    case "workdir": {
      const path = expand(instruction.path);
      if (path === "") throw new FlotillaError("invalid", "cannot normalize nothing: WORKDIR is empty");
      return { kind: "workdir", path };
    }
    case "cmd":
    case "entrypoint":
      return { kind: instruction.kind, command: instruction.command };
    case "healthcheck":
      return { kind: "healthcheck", healthcheck: instruction.healthcheck };
    case "onbuild":
      return { kind: "onbuild", trigger: instruction.trigger };
    case "shell":
      return { kind: "shell", argv: instruction.argv };
  }
}

function expandPair(kind: "env" | "label", pair: Pair, expand: (text: string) => string): Pair {
  const name = expand(pair.name);
  if (name === "") throw new FlotillaError("invalid", `${kind.toUpperCase()} names can not be blank`);
  return { name, value: expand(pair.value) };
}

/** The instruction for the history: pairs are written out, everything else stays as the author wrote it. */
function describe(instruction: Instruction, change: ConfigChange): string {
  if (change.kind !== "env" && change.kind !== "label") return instruction.original;
  return `${change.kind.toUpperCase()} ${change.pairs.map(({ name, value }) => `${name}=${value}`).join(" ")}`;
}

function declareArgs(instruction: ArgBody, state: StageState, scope: Scope): { args: StageState["args"]; createdBy: string } {
  const args = new Map(state.args);
  const written: string[] = [];
  const variables = new Map(scope.variables);
  for (const { name, defaultValue } of instruction.args) {
    const value = argValue(name, defaultValue, { ...scope, variables });
    args.set(name, value);
    // Arguments of one instruction see those before them; the environment still wins.
    if (value !== undefined && !variablesOf(state.config).has(name)) variables.set(name, value);
    written.push(value === undefined ? name : `${name}=${value}`);
  }
  return { args, createdBy: `ARG ${written.join(" ")}` };
}

function argValue(name: string, defaultValue: string | undefined, { context, variables, options }: Scope): string | undefined {
  if (context.buildArgs.has(name)) return context.buildArgs.get(name) ?? undefined;
  if (defaultValue !== undefined) return expandWord(defaultValue, variables, options);
  return context.globalArgs.get(name);
}

function optionsOf(instruction: Instruction, scope: { variables: Variables; escape: string; warnings: Warning[] }): ExpandOptions {
  const onUnset = (name: string): void => {
    if (!/^[A-Za-z_]/.test(name)) return;
    const near = suggest(name, [...scope.variables.keys()]);
    const warning: Warning = { rule: "UndefinedVar", message: `Usage of undefined variable '$${name}'`, location: instruction.location };
    scope.warnings.push({ ...warning, ...(near === undefined ? {} : { suggestion: `$${near}` }) });
  };
  return { escape: scope.escape, onUnset };
}
