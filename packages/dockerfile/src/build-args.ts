// ARG: which names are known without declaration, what a declared one is worth, and which of the given ones nobody read.
import { FlotillaError } from "@flotilla/core";
import { expandWord, type Platform, type Variables } from "@flotilla/image";
import { withPosition } from "./location.ts";
import type { Dockerfile } from "./parse-dockerfile.ts";
import { formatPlatform } from "./platform.ts";

/** `--build-arg`: null takes a default away (a JSON null on Docker's API). */
export type BuildArgs = ReadonlyMap<string, string | null>;

/** May be given without ARG, reach RUN only, and leave no trace in history or cache. */
export const PREDEFINED_ARGS: ReadonlySet<string> = new Set(
  ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
);

/** `BUILDPLATFORM`, `TARGETARCH`, …: known in FROM at once, and in a stage that declares them without a default. */
export function platformArgs(build: Platform, target: Platform): Map<string, string> {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ""],
  ];
  return new Map([...of("BUILD", build), ...of("TARGET", target)]);
}

/**
 * Values of the arguments above the first FROM, in order, on top of the platform's.
 * @throws FlotillaError `invalid` for a default that cannot be expanded.
 */
export function evaluateGlobalArgs(dockerfile: Dockerfile, given: BuildArgs, platform: Variables): Map<string, string> {
  const values = new Map(platform);
  for (const [name] of platform) {
    const value = given.get(name);
    if (typeof value === "string") values.set(name, value);
  }
  for (const { name, defaultValue, location } of dockerfile.globalArgs) {
    const options = { escape: dockerfile.directives.escape };
    const value = given.has(name)
      ? given.get(name)
      : defaultValue === undefined
        ? values.get(name)
        : withPosition(location, () => expandWord(defaultValue, values, options));
    if (typeof value === "string") values.set(name, value);
    else values.delete(name);
  }
  return values;
}

/** Given arguments that no ARG declared, sorted. @param declared names of all ARG instructions that were read. */
export function findUnconsumedArgs(given: BuildArgs, declared: ReadonlySet<string>): string[] {
  return [...given.keys()].filter((name) => !declared.has(name) && !PREDEFINED_ARGS.has(name)).sort();
}

/** Docker's sentence about them. */
export function formatUnconsumedArgs(names: readonly string[]): string {
  return `[Warning] One or more build-args [${names.join(" ")}] were not consumed`;
}

/** All names that ARG instructions of a Dockerfile declare, in whatever stage. */
export function declaredArgs(dockerfile: Dockerfile): Set<string> {
  const inStages = dockerfile.stages.flatMap(({ instructions }) => instructions.flatMap((item) => (item.kind === "arg" ? item.args : [])));
  return new Set([...dockerfile.globalArgs, ...inStages].map(({ name }) => name));
}

/** @throws FlotillaError `invalid` for a name that no environment can have. */
export function assertBuildArgNames(given: BuildArgs): void {
  for (const name of given.keys()) {
    if (name === "" || /[=\0\s]/.test(name)) throw new FlotillaError("invalid", `invalid build-arg name ${JSON.stringify(name)}`);
  }
}
